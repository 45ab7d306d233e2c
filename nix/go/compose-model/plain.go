package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/types"
)

// home is where paths that start with ~ come to lie.
const home = elsewhere + "/~"

// plain is the project as maps and lists that hold no path of this machine.
func plain(project *types.Project, folder string) (*model, error) {
	made := &model{Top: map[string]any{}, Services: map[string]map[string]any{}}
	for name, value := range project.Extensions {
		made.Top[name] = value
	}
	project.Extensions = nil
	for name, service := range project.Services {
		made.Services[name] = map[string]any{}
		for key, value := range service.Extensions {
			made.Services[name][key] = value
		}
		// What was read is in labels; development never reaches a host.
		service.LabelFiles, service.Develop = nil, nil
		project.Services[name] = service
	}
	encoded, err := project.MarshalJSON()
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	if err := decoder.Decode(&made.Document); err != nil {
		return nil, err
	}
	services, _ := made.Document["services"].(map[string]any)
	for _, body := range services {
		if service, ok := body.(map[string]any); ok {
			spellOut(service)
		}
	}
	made.Document = relative(made.Document, folder).(map[string]any)
	return made, nil
}

// takeIn puts a variable's value into each config that is made of one: the host doesn't have it.
func takeIn(project *types.Project, environment types.Mapping, sources *index) []problem {
	var problems []problem
	for name, config := range project.Configs {
		if config.Environment == "" {
			continue
		}
		value, there := environment[config.Environment]
		if !there {
			what := "the variable " + config.Environment + " is not set"
			problems = append(problems, sources.problem("configs."+name+".environment", what))
		}
		config.Content, config.Environment = value, ""
		project.Configs[name] = config
	}
	return sorted(problems)
}

// spellOut makes a service mean the same to every Compose: two keys that the library prints for
// services that don't have them are taken out, and a default that older ones don't share is put in.
func spellOut(service map[string]any) {
	for _, key := range []string{"command", "entrypoint"} {
		if service[key] == nil {
			delete(service, key)
		}
	}
	mounts, _ := service["volumes"].([]any)
	for _, one := range mounts {
		mount, _ := one.(map[string]any)
		bind, there := mount["bind"].(map[string]any)
		if !there {
			continue
		}
		if _, given := bind["create_host_path"]; !given {
			bind["create_host_path"] = true
		}
	}
}

// lost finds a map of users' names, such as labels, of which the library took some for extensions.
func lost(value any, path string) string {
	inner, _ := value.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(inner)) {
		if key == consts.Extensions {
			return path
		}
		if found := lost(inner[key], join(path, key)); found != "" {
			return found
		}
	}
	return ""
}

// relative gives paths that the files gave relative the form they had.
func relative(value any, folder string) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			value[key] = relative(inner, folder)
		}
	case []any:
		for at, inner := range value {
			value[at] = relative(inner, folder)
		}
	case string:
		if value == home || strings.HasPrefix(value, home+"/") {
			return "~" + strings.TrimPrefix(value, home)
		}
		if value != elsewhere && !strings.HasPrefix(value, elsewhere+"/") {
			return value
		}
		path, err := filepath.Rel(elsewhere+folder, value)
		if err != nil {
			return value
		}
		if path != ".." && !strings.HasPrefix(path, "../") {
			path = "./" + path
		}
		return path
	}
	return value
}
