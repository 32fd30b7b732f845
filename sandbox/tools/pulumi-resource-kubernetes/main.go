// Command pulumi-resource-kubernetes is Pulumi's Kubernetes provider.
//
// The provider's own main package embeds files that its module does not carry in the place where they are generated. The
// build puts the ones that the module does carry beside the executable.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// version is set by the linker.
var version string

func main() {
	executable, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	folder := filepath.Dir(executable)
	provider.Serve("kubernetes", version, read(folder, "schema.json"), read(folder, "terraform-mapping.json"))
}

func read(folder, name string) []byte {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return data
}
