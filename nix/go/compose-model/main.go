// Command compose-model reads Compose files as Compose itself does, with Compose's own library, and
// prints what they mean. It reads one request on standard input and writes one answer on standard
// output, both JSON (see request and answer). It runs nothing and reaches no network.
//
// Exit codes: 0 there is an answer, which may hold problems; 2 the request can't be read.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// format is the number of the request's and the answer's form.
const format = 1

// A request says what to read.
type request struct {
	Format int `json:"format"`
	// Folder is absolute; relative paths of the files start there.
	Folder string `json:"folder"`
	// Files are the Compose files, later ones over earlier.
	Files []file `json:"files"`
	// Environment are the sources of variables, the strongest first.
	Environment []source `json:"environment"`
	// Profiles are those whose services are read; "*" is every one.
	Profiles []string `json:"profiles"`
	// Project is the project's name.
	Project string `json:"project"`
}

// A file is a Compose file that was read already.
type file struct {
	Name string `json:"name"` // as people know it; its base name stands in the request's folder
	Text string `json:"text"`
}

// A source is either values or the path of a .env file.
type source struct {
	Values map[string]string `json:"values"`
	File   string            `json:"file"`
	Name   string            `json:"name"` // of the file, as people know it
}

// An answer says what the files mean. There is a model exactly when there is no problem.
type answer struct {
	Format    int        `json:"format"`
	Model     *model     `json:"model"`
	Variables []variable `json:"variables"`
	Warnings  []string   `json:"warnings"`
	Problems  []problem  `json:"problems"`
}

// A model is the merged, normalized project. Paths that the files gave relative to where they are
// start with "./", "../" or "~/" in it, all others stand as they were written.
type model struct {
	Document map[string]any            `json:"document"` // Compose's own keys
	Top      map[string]any            `json:"top"`      // x- keys of the top level
	Services map[string]map[string]any `json:"services"` // x- keys of each service
	Order    []string                  `json:"order"`    // of the services in the files
}

// A variable is one that the files mention.
type variable struct {
	Name      string   `json:"name"`
	Required  bool     `json:"required"`
	Default   string   `json:"default"`
	Alternate string   `json:"alternate"` // what stands in its place where it is set
	Value     *string  `json:"value"`     // null where it has none
	Where     []string `json:"where"`     // FILE:LINE PATH of each mention
}

// A problem is why there is no model.
type problem struct {
	File string `json:"file"` // may be empty, as may be Path; Line is 0 then
	Path string `json:"path"`
	Line int    `json:"line"`
	What string `json:"what"`
}

func main() {
	os.Exit(run(os.Stdin, os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments, and returns the exit code.
func run(stdin io.Reader, stdout, stderr io.Writer) int {
	var asked request
	decoder := json.NewDecoder(stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		fmt.Fprintf(stderr, "compose-model: the request is not the JSON it should be: %v\n", err)
		return 2
	}
	if asked.Format != format {
		fmt.Fprintf(stderr, "compose-model: the request's format is %d, not %d\n", asked.Format, format)
		return 2
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(read(asked)); err != nil {
		fmt.Fprintf(stderr, "compose-model: %v\n", err)
		return 2
	}
	return 0
}
