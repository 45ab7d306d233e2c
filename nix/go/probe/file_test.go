package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestFiles(t *testing.T) {
	tests := []struct {
		name  string
		words []string
		ago   time.Duration
		code  int
		says  string
	}{
		{"just now", nil, 0, 0, ""},
		{"within the time", nil, 25 * time.Second, 0, ""},
		{"too long ago", nil, 40 * time.Second, 1, "touched last 40s ago"},
		{"longer than asked for", []string{"-age", "5s"}, 10 * time.Second, 1, "touched last 10s ago"},
		{"as long as asked for", []string{"-age", "5m"}, time.Minute, 0, ""},
		{"a little ahead", nil, -5 * time.Second, 0, ""},
		{"far ahead", nil, -time.Hour, 1, "the clock was set back"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "worker.heartbeat")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			at := time.Now().Add(-test.ago)
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			code := run(append(test.words, "file://"+path), nil, &stderr)
			checkOutcome(t, code, stderr.String(), test.code, test.says)
		})
	}
}

func TestNoFile(t *testing.T) {
	var stderr bytes.Buffer
	code := run([]string{"file://" + filepath.Join(t.TempDir(), "none")}, nil, &stderr)
	checkOutcome(t, code, stderr.String(), 1, "there is no such file yet")
}
