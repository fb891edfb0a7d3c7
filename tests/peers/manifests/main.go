// Manifests checks Kubernetes manifests without a cluster.
//
//	manifests schemas DIR   writes the JSON schemas of Kubernetes' kinds into DIR, for kubeconform
//	manifests check FILE    decodes every object of FILE into its Go type, strictly: unknown fields are errors
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

func main() {
	commands := map[string]func(string) error{"schemas": writeSchemas, "check": check}
	if len(os.Args) != 3 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: manifests schemas DIR | manifests check FILE")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(path string) error {
	scheme := runtime.NewScheme()
	if err := errors.Join(kubernetes.AddToScheme(scheme), monitoring.AddToScheme(scheme)); err != nil {
		return err
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	count := 0
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			fmt.Println(count, "objects")
			return nil
		}
		if err != nil {
			return err
		}
		if isEmpty(document) {
			continue
		}
		if _, kind, err := decoder.Decode(document, nil, nil); err != nil {
			return fmt.Errorf("%v: %w", kind, err)
		}
		count++
	}
}

func isEmpty(document []byte) bool {
	for line := range strings.Lines(string(document)) {
		line = strings.TrimSpace(line)
		if line != "" && line != "---" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

func writeSchemas(folder string) error {
	content, err := json.Marshal(openapi.Schema())
	if err != nil {
		return err
	}
	var schema struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(content, &schema); err != nil {
		return err
	}
	either := map[string]any{"anyOf": []any{map[string]any{"type": "string"}, map[string]any{"type": "number"}}}
	schema.Definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = either
	schema.Definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = either
	if err := write(folder, "definitions", schema); err != nil {
		return err
	}
	for name, definition := range schema.Definitions {
		kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 {
			continue
		}
		kind := kinds[0].(map[string]any)
		if err := write(folder, fileName(kind), map[string]any{"$ref": "definitions.json#/definitions/" + name}); err != nil {
			return err
		}
	}
	return nil
}

// fileName is what kubeconform calls the kind: its own name, the first part of its group, if it has one, and its version.
func fileName(kind map[string]any) string {
	group, _, _ := strings.Cut(kind["group"].(string), ".")
	parts := []string{kind["kind"].(string), group, kind["version"].(string)}
	if group == "" {
		parts = []string{parts[0], parts[2]}
	}
	return strings.ToLower(strings.Join(parts, "-"))
}

func write(folder, name string, value any) error {
	content, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+".json"), content, 0o644)
}
