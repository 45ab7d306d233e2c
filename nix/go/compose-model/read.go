package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// elsewhere is another path of the root folder. The library makes every relative path absolute;
// reading from below this one, paths that were relative can be told from those that weren't.
const elsewhere = "/proc/self/root"

var (
	inService  = regexp.MustCompile(`^(service|secret|job) "?([A-Za-z0-9._-]+)"?`)
	inPath     = regexp.MustCompile(`\b((?:services|networks|volumes|secrets|configs|x-[\w-]+)\.[^\s:,]+)`)
	parsing    = regexp.MustCompile(`(?s)^failed to parse ([^:]+): yaml: (?:unmarshal errors:\s*)?(.*)`)
	validating = regexp.MustCompile(`^validating [^:]+: `)
	decoding   = regexp.MustCompile(`'((?:services|networks|volumes|secrets|configs)\[[^']+)' ([^\n]+)`)
	inBrackets = regexp.MustCompile(`\[([^\]0-9][^\]]*)\]`)
)

// read answers a request.
func read(asked request) answer {
	given := answer{Format: format, Variables: []variable{}, Warnings: []string{}, Problems: []problem{}}
	names := newNames(asked)
	// So that paths that start with ~ can be told apart, too.
	if err := os.Setenv("HOME", home); err != nil {
		given.Problems = append(given.Problems, problem{What: err.Error()})
		return given
	}
	seen := newCollector()
	environment, problems := readEnvironment(asked, names, seen)
	if len(problems) > 0 {
		given.Problems = problems
		return given
	}
	details := types.ConfigDetails{
		WorkingDir:  elsewhere + asked.Folder,
		Environment: environment,
	}
	sources := newIndex()
	for _, one := range asked.Files {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{
			Filename: names.path(one), Content: []byte(one.Text),
		})
		sources.add(one.Name, []byte(one.Text))
	}
	// The library stops at the first value that has no variable and should be a number.
	for _, text := range sources.found {
		_, _ = seen.substitute(text, environment.Resolve)
	}
	var options *loader.Options
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		o.SetProjectName(asked.Project, true)
		o.Profiles = asked.Profiles
		o.Interpolate.Substitute = seen.substitute
		o.Listeners = []loader.Listener{func(_ string, about map[string]any) {
			for _, path := range mentionedFiles(about, details.WorkingDir) {
				if text, err := os.ReadFile(path); err == nil {
					sources.add(names.shorten(path), text)
				}
			}
		}}
		loader.WithDiscardEnvFiles(o)
		options = o
	})
	given.Variables = sources.variables(environment)
	given.Problems = append(given.Problems, sources.lacking(seen)...)
	if err != nil && len(given.Problems) == 0 {
		given.Problems = explain(err, asked, options, sources, names)
	}
	for _, warning := range seen.warnings {
		given.Warnings = append(given.Warnings, names.shorten(warning))
	}
	if err == nil {
		given.Problems = append(given.Problems, takeIn(project, environment, sources)...)
	}
	if len(given.Problems) == 0 {
		if given.Model, err = plain(project, asked.Folder); err != nil {
			given.Problems = []problem{{What: err.Error()}}
		} else if where := lost(given.Model.Document, ""); where != "" {
			given.Problems = []problem{sources.problem(where, "Compose loses names that start with x- here")}
			given.Model = nil
		} else {
			given.Model.Order = sources.order(given.Model.Services)
		}
	}
	return given
}

// readEnvironment makes one map of all sources. A .env file may refer to what is stronger than it.
func readEnvironment(asked request, names names, seen *collector) (types.Mapping, []problem) {
	environment := types.Mapping{}
	var problems []problem
	for _, one := range asked.Environment {
		values := one.Values
		if one.File != "" {
			seen.prefix = one.Name + ": "
			var err error
			values, err = dotenv.GetEnvFromFile(environment, []string{one.File})
			seen.prefix = ""
			if err != nil {
				text := strings.TrimPrefix(err.Error(), "failed to read "+one.File+": ")
				problems = append(problems, problem{File: one.Name, What: names.shorten(text)})
			}
		}
		for name, value := range values {
			if _, there := environment[name]; !there {
				environment[name] = value
			}
		}
	}
	environment["COMPOSE_PROJECT_NAME"] = asked.Project
	return environment, problems
}

// explain turns the library's error into problems: every fault that the schema shows, and the one
// that the library stopped at.
func explain(err error, asked request, options *loader.Options, sources *index, names names) []problem {
	text := names.shorten(err.Error())
	if match := parsing.FindStringSubmatch(text); match != nil {
		return []problem{{File: match[1], What: "is no YAML: " + oneLine(match[2])}}
	}
	found := schemaProblems(asked, options, sources)
	if validating.MatchString(text) && len(found) > 0 {
		return found
	}
	text = validating.ReplaceAllString(text, "")
	if matches := decoding.FindAllStringSubmatch(text, -1); matches != nil {
		for _, match := range matches {
			where := inBrackets.ReplaceAllString(match[1], ".$1")
			found = append(found, sources.problem(where, strings.TrimPrefix(match[2], "time: ")))
		}
		return sorted(found)
	}
	text = strings.ReplaceAll(strings.TrimSuffix(text, ": invalid compose project"), ".[", "[")
	where := ""
	if match := inPath.FindStringSubmatch(text); match != nil {
		where = match[1]
		text = strings.TrimLeft(strings.TrimPrefix(text, where), ": ")
	} else if match := inService.FindStringSubmatch(text); match != nil {
		where = match[1] + "s." + match[2]
	}
	if errors.Is(err, os.ErrNotExist) {
		text += "; it should be beside the Compose files"
	}
	return sorted(append(found, sources.problem(where, oneLine(text))))
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}

// mentionedFiles are the files that an include or extends names.
func mentionedFiles(about map[string]any, folder string) []string {
	var found []string
	add := func(name string) {
		if base, ok := about["workingdir"].(string); ok {
			folder = base
		}
		if !path.IsAbs(name) {
			name = path.Join(folder, name)
		}
		found = append(found, name)
	}
	switch named := about["path"].(type) {
	case types.StringList:
		for _, name := range named {
			add(name)
		}
	}
	if name, ok := about["file"].(string); ok {
		add(name)
	}
	return found
}

// names translate between the paths that the library sees and those that people know.
type names struct {
	folder   string
	replaced []string
}

func newNames(asked request) names {
	made := names{folder: asked.Folder}
	for _, one := range asked.Files {
		made.replaced = append(made.replaced, made.path(one), one.Name)
	}
	folder := ""
	if len(asked.Files) > 0 && path.Dir(asked.Files[0].Name) != "." {
		folder = path.Dir(asked.Files[0].Name) + "/"
	}
	root := strings.TrimSuffix(asked.Folder, "/") + "/"
	made.replaced = append(made.replaced, elsewhere+root, folder, root, folder, elsewhere, "")
	return made
}

func (n names) path(one file) string {
	return elsewhere + path.Join(n.folder, path.Base(one.Name))
}

func (n names) shorten(text string) string {
	return strings.NewReplacer(n.replaced...).Replace(text)
}

func describe(file string, line int, where string) string {
	return fmt.Sprintf("%s:%d %s", file, line, where)
}

func sorted(problems []problem) []problem {
	slices.SortStableFunc(problems, func(a, b problem) int {
		return cmp.Or(
			strings.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			strings.Compare(a.What, b.What),
			strings.Compare(a.Path, b.Path),
		)
	})
	return slices.Compact(problems)
}
