package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/proto"
)

// required answers which plugins the Python packages need, from the file by which each package says so. The older
// host finds the packages by `pip list`, for which every run would wait half a second. It is asked where this is not
// enough to tell (nil).
func required() []byte {
	packages := sitePackages()
	files, _ := filepath.Glob(filepath.Join(packages, "*", "pulumi-plugin.json"))
	if packages == "" || len(files) == 0 {
		return nil
	}
	var answer pulumirpc.GetRequiredPluginsResponse
	for _, file := range files {
		var plugin struct {
			Resource              bool
			Name, Version, Server string
		}
		text, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(text, &plugin) != nil {
			return nil
		}
		if !plugin.Resource {
			continue
		}
		if plugin.Name == "" || plugin.Version == "" {
			return nil // they follow from the package's, as the host knows
		}
		answer.Plugins = append(answer.Plugins, &pulumirpc.PluginDependency{
			Name: plugin.Name, Kind: "resource", Version: "v" + strings.TrimPrefix(plugin.Version, "v"), Server: plugin.Server,
		})
	}
	// A package of Pulumi's without the file has a plugin of its name.
	named, _ := filepath.Glob(filepath.Join(packages, "pulumi_*.dist-info"))
	for _, folder := range named {
		name, _, _ := strings.Cut(filepath.Base(folder), "-")
		if _, err := os.Stat(filepath.Join(packages, name, "pulumi-plugin.json")); err != nil {
			return nil
		}
	}
	bytes, err := proto.Marshal(&answer)
	if err != nil {
		return nil
	}
	return bytes
}

// sitePackages returns the folder of the packages of the virtual environment whose Python the host would run; empty:
// it is none, or not all of them are there.
func sitePackages() string {
	python, err := exec.LookPath("python3")
	if err != nil || os.Getenv("PULUMI_PYTHON_CMD") != "" {
		return ""
	}
	environment := filepath.Dir(filepath.Dir(python))
	settings, err := os.ReadFile(filepath.Join(environment, "pyvenv.cfg"))
	if err != nil || strings.Contains(string(settings), "include-system-site-packages = true") {
		return ""
	}
	found, _ := filepath.Glob(filepath.Join(environment, "lib", "python3*", "site-packages"))
	if len(found) != 1 {
		return ""
	}
	return found[0]
}
