// Command pulumi-resource-kubernetes is the Pulumi Kubernetes plugin, built from its published module.
//
// The schema and the Terraform mapping are not part of this repository: the build copies them from the
// module's own cmd/pulumi-resource-kubernetes folder beside this file (see distribution/recipes.py).
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// version is set by the linker.
var version string

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

func main() {
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
