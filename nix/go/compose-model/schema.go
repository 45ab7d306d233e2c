package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v4"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// schemaProblems names everything in the files that the library's schema forbids. The library
// itself names one.
func schemaProblems(asked request, options *loader.Options, sources *index) []problem {
	compiled, err := compile()
	if err != nil {
		return nil
	}
	var problems []problem
	for _, one := range asked.Files {
		value, err := filled(one.Text, options)
		if err != nil {
			continue
		}
		var invalid *jsonschema.ValidationError
		if !errors.As(compiled.Validate(value), &invalid) {
			continue
		}
		for _, leaf := range leaves(invalid) {
			for _, found := range sentences(leaf) {
				found.File, found.Line = one.Name, sources.lineOf(one.Name, found.Path)
				problems = append(problems, found)
			}
		}
	}
	return sorted(problems)
}

func compile() (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	text, err := jsonschema.UnmarshalJSON(strings.NewReader(schema.Schema))
	if err != nil {
		return nil, err
	}
	if err := compiler.AddResource("compose-spec.json", text); err != nil {
		return nil, err
	}
	compiler.RegisterFormat(&jsonschema.Format{Name: "duration", Validate: func(value any) error {
		if text, ok := value.(string); ok {
			_, err := time.ParseDuration(text)
			return err
		}
		return errors.New("expected string")
	}})
	return compiler.Compile("compose-spec.json")
}

// filled is a file as the schema sees it: without Compose's tags, variables filled in.
func filled(text string, options *loader.Options) (any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	untag(&document, 0)
	var value map[string]any
	if err := document.Decode(&value); err != nil {
		return nil, err
	}
	value, err := interpolation.Interpolate(value, *options.Interpolate)
	if err != nil {
		return nil, err
	}
	dropEmpty(value)
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(strings.NewReader(string(encoded)))
}

// dropEmpty takes out what a file merely mentions, as in "networks:" without anything: the library
// gives it its default before it looks at the schema.
func dropEmpty(value map[string]any) {
	for key, inner := range value {
		if inner == nil {
			delete(value, key)
		}
	}
}

func untag(node *yaml.Node, depth int) {
	if depth > 100 {
		return
	}
	if node.Tag == "!override" {
		node.Tag = ""
	}
	var kept []*yaml.Node
	for at, inner := range node.Content {
		if node.Kind == yaml.MappingNode {
			if at%2 == 1 {
				continue
			}
			if value := node.Content[at+1]; value.Tag != "!reset" {
				untag(value, depth+1)
				kept = append(kept, inner, value)
			}
			continue
		}
		if inner.Tag != "!reset" {
			untag(inner, depth+1)
			kept = append(kept, inner)
		}
	}
	node.Content = kept
}

// leaves are the errors that say what is wrong, not the ones that only lead there. Where any of
// several forms would do, it is the form that was meant: the one with the deepest error.
func leaves(invalid *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(invalid.Causes) == 0 {
		return []*jsonschema.ValidationError{invalid}
	}
	switch invalid.ErrorKind.(type) {
	case *kind.OneOf, *kind.AnyOf:
		best := slices.MaxFunc(invalid.Causes, func(a, b *jsonschema.ValidationError) int {
			return depth(a) - depth(b)
		})
		return leaves(best)
	}
	var found []*jsonschema.ValidationError
	for _, cause := range invalid.Causes {
		found = append(found, leaves(cause)...)
	}
	return found
}

func depth(invalid *jsonschema.ValidationError) int {
	deepest := 0
	for _, leaf := range leaves(invalid) {
		here := 2 * len(leaf.InstanceLocation)
		if _, names := leaf.ErrorKind.(*kind.AdditionalProperties); names {
			here++
		}
		deepest = max(deepest, here)
	}
	return deepest
}

func sentences(leaf *jsonschema.ValidationError) []problem {
	path := ""
	for _, part := range leaf.InstanceLocation {
		if _, err := strconv.Atoi(part); err == nil && path != "" {
			path += "[" + part + "]"
		} else {
			path = join(path, part)
		}
	}
	switch what := leaf.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		var found []problem
		for _, name := range what.Properties {
			found = append(found, problem{Path: join(path, name), What: "is no key that Compose knows here"})
		}
		return found
	case *kind.Type:
		return []problem{{Path: path, What: "should be " + strings.Join(readable(what.Want), " or ") +
			", got " + strings.Join(readable([]string{what.Got}), "")}}
	case *kind.Format:
		return []problem{{Path: path, What: fmt.Sprintf("%v is no %s", what.Got, what.Want)}}
	}
	text := leaf.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	return []problem{{Path: path, What: text}}
}

func readable(types []string) []string {
	words := map[string]string{
		"object": "a map", "array": "a list", "string": "a text", "null": "nothing",
		"boolean": "true or false", "number": "a number", "integer": "a whole number",
	}
	var found []string
	for _, one := range types {
		found = append(found, words[one])
	}
	slices.Sort(found)
	return found
}
