// Package codegen stands in for pulumi-dotnet's code generator, which no module proxy serves.
// The docker-build plugin only describes its .NET SDK with this one struct; nothing is generated here.
package codegen

// CSharpPackageInfo names the .NET SDK's build settings in the plugin's schema.
type CSharpPackageInfo struct {
	RespectSchemaVersion bool              `json:"respectSchemaVersion,omitempty"`
	PackageReferences    map[string]string `json:"packageReferences,omitempty"`
}
