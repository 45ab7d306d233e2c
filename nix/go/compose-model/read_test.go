package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// ask reads one file with variables, from a folder.
func ask(folder, text string, variables map[string]string) answer {
	return read(request{
		Format: format, Folder: folder, Project: "demo", Profiles: []string{"*"},
		Files:       []file{{Name: "deploy/a.yml", Text: text}},
		Environment: []source{{Values: variables}},
	})
}

// modelOf fails the test unless there is a model.
func modelOf(t *testing.T, given answer) *model {
	t.Helper()
	if given.Model == nil {
		t.Fatalf("no model: %v", given.Problems)
	}
	return given.Model
}

func at(t *testing.T, value any, path ...string) any {
	t.Helper()
	for _, key := range path {
		inner, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("%s is not in a map: %v", key, value)
		}
		value = inner[key]
	}
	return value
}

func TestRelativePathsStayRelative(t *testing.T) {
	text := `
services:
  a:
    image: i
    volumes: ["./x:/x", "../y:/y", "~/z:/z", "/srv/deploy/abs:/abs", "named:/n"]
configs: {c: {file: edge/x.cfg}}
volumes: {named: {}}
`
	document := modelOf(t, ask("/srv/deploy", text, nil)).Document
	var sources []string
	for _, mount := range at(t, document, "services", "a", "volumes").([]any) {
		sources = append(sources, at(t, mount, "source").(string))
	}
	want := []string{"./x", "../y", "~/z", "/srv/deploy/abs", "named"}
	if !reflect.DeepEqual(sources, want) {
		t.Errorf("sources %q, want %q", sources, want)
	}
	if got := at(t, document, "configs", "c", "file"); got != "./edge/x.cfg" {
		t.Errorf("config %q", got)
	}
}

func TestFilesBesideAreRead(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"base.yml":  "services: {b: {image: b, env_file: [sub/b.env], labels: {l: '${L:-none}'}}}",
		"sub/b.env": "ONE=1\nTWO=${ONE}2\n",
		"more.yml":  "services: {m: {image: '${M}', volumes: ['./m:/m']}}",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := "include: [more.yml]\nservices: {a: {extends: {file: base.yml, service: b}, x-own: {k: 1}}}\nx-top: [1]\n"
	made := modelOf(t, ask(folder, text, map[string]string{"M": "m:1"}))
	if got := at(t, made.Document, "services", "a", "environment"); !reflect.DeepEqual(got, map[string]any{"ONE": "1", "TWO": "12"}) {
		t.Errorf("environment %v", got)
	}
	if got := at(t, made.Document, "services", "m", "image"); got != "m:1" {
		t.Errorf("image %v", got)
	}
	if got := made.Services["a"]["x-own"]; !reflect.DeepEqual(got, map[string]any{"k": 1}) {
		t.Errorf("x-own %v", got)
	}
	if _, there := made.Top["x-top"]; !there {
		t.Errorf("no x-top in %v", made.Top)
	}
	encoded, err := json.Marshal(made)
	if err != nil || bytes.Contains(encoded, []byte(folder)) || bytes.Contains(encoded, []byte(elsewhere)) {
		t.Errorf("the model names this machine's paths, or %v: %s", err, encoded)
	}
	given := ask(folder, text, nil)
	want := problem{"deploy/more.yml", "services.m.image", 1, "the variable M is not set"}
	if len(given.Problems) != 1 || given.Problems[0] != want {
		t.Errorf("problems %v, want %v", given.Problems, want)
	}
}

func TestNothingIsLeftForTheHostToRead(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"a.env", "a.label"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("K=v\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := `services: {a: {image: i, env_file: a.env, label_file: a.label, volumes: ["/x:/x"],
  develop: {watch: [{action: rebuild, path: .}]}}}`
	body := at(t, modelOf(t, ask(folder, text, nil)).Document, "services", "a").(map[string]any)
	for _, key := range []string{"env_file", "label_file", "develop", "command", "entrypoint"} {
		if _, there := body[key]; there {
			t.Errorf("%s is still there: %v", key, body[key])
		}
	}
	if body["labels"].(map[string]any)["K"] != "v" || body["environment"].(map[string]any)["K"] != "v" {
		t.Errorf("not read: %v", body)
	}
	mount := body["volumes"].([]any)[0]
	if got := at(t, mount, "bind", "create_host_path"); got != true {
		t.Errorf("older Composes would not make the folder: %v", mount)
	}
}

func TestVariablesAreListed(t *testing.T) {
	text := "services: {a: {image: '${A:-x}', command: ['${B:?why}', '${A:+y}', '$$C', '${D:-${E}}']}}"
	given := ask("/d", text, map[string]string{"B": "1", "D": ""})
	var names []string
	for _, one := range given.Variables {
		names = append(names, one.Name)
	}
	if want := []string{"A", "B", "D", "E"}; !reflect.DeepEqual(names, want) {
		t.Fatalf("names %v, want %v", names, want)
	}
	first, second := given.Variables[0], given.Variables[1]
	if first.Default != "x" || first.Alternate != "y" || first.Value != nil || len(first.Where) != 2 {
		t.Errorf("A is %+v", first)
	}
	if !second.Required || *second.Value != "1" || second.Where[0] != "deploy/a.yml:1 services.a.command[0]" {
		t.Errorf("B is %+v", second)
	}
}

func TestEveryFaultOfVariablesAtOnce(t *testing.T) {
	text := `services:
  a:
    image: ${A:?why} ${B}
    read_only: ${C}
    command: ["${D:-${E}}", "${F", "${G:-set}"]
`
	var whats []string
	for _, one := range ask("/d", text, nil).Problems {
		whats = append(whats, strings.Join([]string{one.Path, one.What}, " "))
	}
	want := []string{
		"services.a.image the variable A is not set: why",
		"services.a.image the variable B is not set",
		"services.a.read_only the variable C is not set",
		"services.a.command[0] the variable E is not set",
		"services.a.command[1] the variables in '${F' can't be read; write $$ for a dollar sign",
	}
	if !reflect.DeepEqual(whats, want) {
		t.Errorf("problems\n%s\nwant\n%s", strings.Join(whats, "\n"), strings.Join(want, "\n"))
	}
}

func TestEnvironmentInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env")
	text := "\uFEFFA=file\nB=\"x\" # note\nC=${A}-${S}\nD=\"a\\nb\"\nE: v\nexport F=f\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	given := read(request{
		Format: format, Folder: "/d", Project: "demo",
		Files: []file{{"a.yml", "services: {a: {image: i, command: ['$A', '$B', '$C', '$D', '$E', '$F', '$G']}}"}},
		Environment: []source{
			{Values: map[string]string{"A": "strong", "S": "s"}},
			{File: path, Name: ".env"},
			{Values: map[string]string{"B": "weak", "G": "weak"}},
		},
	})
	want := []any{"strong", "x", "strong-s", "a\nb", "v", "f", "weak"}
	if got := at(t, modelOf(t, given).Document, "services", "a", "command"); !reflect.DeepEqual(got, want) {
		t.Errorf("command %q, want %q", got, want)
	}
	if err := os.WriteFile(path, []byte("A=1\nB%=2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	given = read(request{Environment: []source{{File: path, Name: ".env"}}})
	if len(given.Problems) != 1 || given.Problems[0].File != ".env" || !strings.HasPrefix(given.Problems[0].What, "line 2: ") {
		t.Errorf("problems %v", given.Problems)
	}
}

func TestProblemsNameTheirPlace(t *testing.T) {
	for text, want := range map[string]problem{
		"services:\n  a:\n    image: i\n    prots: []": {
			"deploy/a.yml", "services.a.prots", 4, "is no key that Compose knows here"},
		"services:\n  a: {image: i, healthcheck: {interval: 10}}": {
			"deploy/a.yml", "services.a.healthcheck.interval", 2, "should be a text, got a number"},
		"services:\n  a: {image: i, stop_grace_period: soon}": {
			"deploy/a.yml", "services.a.stop_grace_period", 2, `invalid duration "soon"`},
		"services:\n  a: {image: i, networks: [n]}": {
			"deploy/a.yml", "services.a", 2, `service "a" refers to undefined network n`},
		"services:\n  a: {image: i, labels: {x-b: c}}": {
			"deploy/a.yml", "services.a.labels", 2, "Compose loses names that start with x- here"},
		"services: [": {
			"deploy/a.yml", "", 0, "is no YAML: line 1: did not find expected node content"},
	} {
		given := ask("/d", text, nil)
		if given.Model != nil || len(given.Problems) != 1 || given.Problems[0] != want {
			t.Errorf("%s\ngives %+v, want %+v", text, given.Problems, want)
		}
	}
}

func TestSameFilesGiveTheSameBytes(t *testing.T) {
	text := "services: {a: {image: i, environment: {Z: 1, A: 2, M: 3}, networks: [z, y, x], ports: ['1-5:1-5']}}\n" +
		"networks: {x: {}, y: {}, z: {}}\n"
	var first []byte
	for range 20 {
		encoded, err := json.Marshal(ask("/d", text, nil))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = encoded
		}
		if !bytes.Equal(first, encoded) {
			t.Fatalf("\n%s\n%s", first, encoded)
		}
	}
}

func TestRequests(t *testing.T) {
	for text, code := range map[string]int{
		`{"format": 1, "folder": "/", "files": [{"name": "a", "text": "services: {a: {image: i}}"}], "project": "p"}`: 0,
		`{"format": 2}`:               2,
		`{"format": 1, "unknown": 1}`: 2,
		`no JSON`:                     2,
	} {
		var stdout, stderr bytes.Buffer
		if got := run(strings.NewReader(text), &stdout, &stderr); got != code {
			t.Errorf("%s gives %d, want %d: %s", text, got, code, stderr.String())
		}
		if (code == 0) != json.Valid(stdout.Bytes()) || (code == 0) != (stderr.Len() == 0) {
			t.Errorf("%s says %q and %q", text, stdout.String(), stderr.String())
		}
	}
}

func TestAConfigOfAVariableHoldsItsValue(t *testing.T) {
	text := "services: {a: {image: i, configs: [c]}}\nconfigs: {c: {environment: GREETING}}\n"
	given := modelOf(t, ask("/srv/deploy", text, map[string]string{"GREETING": "hello"}))
	config := at(t, given.Document, "configs", "c")
	if at(t, config, "content") != "hello" || at(t, config, "environment") != nil {
		t.Errorf("the config is %v", config)
	}
	want := []problem{{"deploy/a.yml", "configs.c.environment", 2, "the variable GREETING is not set"}}
	if found := ask("/srv/deploy", text, nil).Problems; !reflect.DeepEqual(found, want) {
		t.Errorf("problems %v, want %v", found, want)
	}
}
