// Package java stands in for pulumi-java's code generator, which no module proxy serves.
// The docker-build plugin only describes its Java SDK with this one struct; nothing is generated here.
package java

// PackageInfo names the Java SDK's build settings in the plugin's schema.
type PackageInfo struct {
	BuildFiles                      string            `json:"buildFiles,omitempty"`
	GradleNexusPublishPluginVersion string            `json:"gradleNexusPublishPluginVersion,omitempty"`
	Dependencies                    map[string]string `json:"dependencies,omitempty"`
}
