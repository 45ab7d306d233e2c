package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"
)

// visitLimit keeps a small file that stands for millions of values from being walked.
const visitLimit = 200_000

// A place is a value in a file.
type place struct {
	file string
	path string
	line int
}

// An index knows where in the files which value stands.
type index struct {
	files  []string
	texts  map[string][]place // template to the places that hold it
	places []place
	found  []string // templates, in the order of the files
	visits int
}

func newIndex() *index {
	return &index{texts: map[string][]place{}}
}

// add takes in a file; one that is no YAML is left to the library to complain of.
func (i *index) add(name string, text []byte) {
	if slices.Contains(i.files, name) {
		return
	}
	i.files = append(i.files, name)
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err == nil && len(document.Content) > 0 {
		i.walk(name, document.Content[0], "", document.Content[0].Line)
	}
}

func (i *index) walk(file string, node *yaml.Node, path string, line int) {
	if i.visits++; i.visits > visitLimit || node.Tag == "!reset" {
		return
	}
	if node.Kind == yaml.AliasNode {
		i.walk(file, node.Alias, path, line)
		return
	}
	i.places = append(i.places, place{file, path, line})
	switch node.Kind {
	case yaml.MappingNode:
		for at := 0; at+1 < len(node.Content); at += 2 {
			key, value := node.Content[at], node.Content[at+1]
			inner := path
			if key.Value != "<<" {
				inner = join(path, key.Value)
			}
			i.walk(file, value, inner, key.Line)
		}
	case yaml.SequenceNode:
		for at, item := range node.Content {
			i.walk(file, item, path+"["+strconv.Itoa(at)+"]", item.Line)
		}
	case yaml.ScalarNode:
		if strings.Contains(node.Value, "$") {
			if _, there := i.texts[node.Value]; !there {
				i.found = append(i.found, node.Value)
			}
			i.texts[node.Value] = append(i.texts[node.Value], place{file, path, node.Line})
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// locate finds the last place with this path, or with the longest part of it that there is.
func (i *index) locate(path string) (string, int) {
	for path != "" {
		for _, one := range slices.Backward(i.places) {
			if one.path == path {
				return one.file, one.line
			}
		}
		at := strings.LastIndexAny(path, ".[")
		if at < 0 {
			break
		}
		path = path[:at]
	}
	return "", 0
}

// problem is one at a path, in the file and line where that stands.
func (i *index) problem(path, what string) problem {
	file, line := i.locate(path)
	return problem{file, path, line, what}
}

// lineOf finds the line of a path in one file.
func (i *index) lineOf(file, path string) int {
	for _, one := range i.places {
		if one.file == file && one.path == path {
			return one.line
		}
	}
	return 0
}

// order lists services as the files name them.
func (i *index) order(services map[string]map[string]any) []string {
	names := slices.AppendSeq([]string{}, maps.Keys(services))
	slices.Sort(names)
	first := map[string]int{}
	for at, one := range slices.Backward(i.places) {
		if name, inside := strings.CutPrefix(one.path, "services."); inside {
			first[name] = at
		}
	}
	at := func(name string) int {
		if place, there := first[name]; there {
			return place
		}
		return len(i.places)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(at(a), at(b)) })
	return names
}

// variables lists what the files mention, by name.
func (i *index) variables(environment types.Mapping) []variable {
	all := map[string]*variable{}
	for _, text := range i.found {
		for name, one := range template.ExtractVariables(map[string]any{"": text}, template.DefaultPattern) {
			known, there := all[name]
			if !there {
				known = &variable{Name: name, Where: []string{}}
				if value, set := environment[name]; set {
					known.Value = &value
				}
				all[name] = known
			}
			known.Required = known.Required || one.Required
			if known.Default == "" {
				known.Default = one.DefaultValue
			}
			if known.Alternate == "" {
				known.Alternate = one.PresenceValue
			}
			for _, at := range i.texts[text] {
				known.Where = append(known.Where, describe(at.file, at.line, at.path))
			}
		}
	}
	list := []variable{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, *all[name])
	}
	return list
}

// lacking tells where each fault of a text stands; what an anchor shares is told once.
func (i *index) lacking(seen *collector) []problem {
	problems := []problem{}
	for _, one := range seen.faults {
		for _, at := range i.texts[one.text] {
			problems = append(problems, problem{at.file, at.path, at.line, one.what})
		}
		if len(i.texts[one.text]) == 0 {
			problems = append(problems, problem{What: one.what + " (in " + quoted(one.text) + ")"})
		}
	}
	return slices.CompactFunc(sorted(problems), func(a, b problem) bool {
		return a.Line > 0 && a.File == b.File && a.Line == b.Line && a.What == b.What
	})
}
