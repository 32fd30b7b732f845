// Command pulumi-python-sdk writes the Python SDK of a package: what `pulumi package add` asks of Python's language host.
//
// It reads a GeneratePackageRequest as JSON on standard input. No registry serves pulumi-language-python, but its code
// generator is a package of the engine's module.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	if err := generate(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(input io.Reader) error {
	text, err := io.ReadAll(input)
	if err != nil {
		return err
	}
	var request pulumirpc.GeneratePackageRequest
	if err := protojson.Unmarshal(text, &request); err != nil {
		return err
	}
	client, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return err
	}
	loader := schema.NewCachedLoader(client)
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(request.Schema), &spec); err != nil {
		return err
	}
	described, problems, err := schema.BindSpec(spec, loader, schema.ValidationOptions{AllowDanglingReferences: true})
	if err != nil {
		return err
	}
	if problems.HasErrors() {
		return problems
	}
	files, err := python.GeneratePackage("pulumi-language-python", described, request.ExtraFiles, loader)
	if err != nil {
		return err
	}
	for name, data := range files {
		path := filepath.Join(request.Directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
