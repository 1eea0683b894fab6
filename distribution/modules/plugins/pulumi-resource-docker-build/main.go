// Command pulumi-resource-docker-build is the Pulumi docker-build plugin, built from its published module.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"

	"github.com/pulumi/pulumi-docker-build/provider"
)

func main() {
	if err := provider.Serve(); err != nil {
		cmdutil.ExitError(err.Error())
	}
}
