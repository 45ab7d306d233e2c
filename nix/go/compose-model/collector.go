package main

import (
	"errors"
	"io"
	"regexp"
	"slices"

	"github.com/compose-spec/compose-go/v2/template"
	"github.com/sirupsen/logrus"
)

var unset = regexp.MustCompile(`^The "([^"]+)" variable is not set`)

// A fault is why a text could not be filled in.
type fault struct {
	text string // the template
	what string
}

// A collector fills in variables by the library's own rules and notes every fault on the way,
// where the library stops at the first, and takes a variable that isn't set for an empty one.
type collector struct {
	faults   []fault
	warnings []string
	prefix   string // of warnings
	current  *string
}

func newCollector() *collector {
	made := &collector{}
	logrus.SetOutput(io.Discard)
	logrus.StandardLogger().ReplaceHooks(logrus.LevelHooks{})
	logrus.AddHook(made)
	return made
}

// Levels and Fire make the collector hear what the library logs.
func (c *collector) Levels() []logrus.Level { return logrus.AllLevels }

func (c *collector) Fire(entry *logrus.Entry) error {
	match := unset.FindStringSubmatch(entry.Message)
	if c.current != nil && match != nil {
		c.note(*c.current, "the variable "+match[1]+" is not set")
		return nil
	}
	warning := c.prefix + entry.Message
	if !slices.Contains(c.warnings, warning) {
		c.warnings = append(c.warnings, warning)
	}
	return nil
}

// substitute stands in the place of the library's own function. A faulty text is left empty.
func (c *collector) substitute(text string, lookup template.Mapping) (string, error) {
	c.current = &text
	defer func() { c.current = nil }()
	given := map[string]string{}
	for {
		filled, err := template.Substitute(text, func(name string) (string, bool) {
			if value, there := given[name]; there {
				return value, true
			}
			return lookup(name)
		})
		var missing *template.MissingRequiredError
		switch {
		case err == nil && len(given) == 0:
			return filled, nil
		case errors.As(err, &missing) && given[missing.Variable] == "":
			what := "the variable " + missing.Variable + " is not set"
			if missing.Reason != "" {
				what += ": " + missing.Reason
			}
			c.note(text, what)
			given[missing.Variable] = "x"
		case err == nil:
			return "", nil
		default:
			c.note(text, "the variables in "+quoted(text)+" can't be read; write $$ for a dollar sign")
			return "", nil
		}
	}
}

func (c *collector) note(text, what string) {
	if found := (fault{text, what}); !slices.Contains(c.faults, found) {
		c.faults = append(c.faults, found)
	}
}

// quoted is a text that may hold a secret's default, cut short.
func quoted(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		text = string(runes[:60]) + "…"
	}
	return "'" + text + "'"
}
