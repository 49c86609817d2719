//go:build unix

package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRecipe: the command lines of the container recipe and of the systemd unit are ones that the program takes, and
// what the recipe copies is there.
func TestRecipe(t *testing.T) {
	recipe, err := os.ReadFile("Containerfile")
	require.NoError(t, err)
	commands := regexp.MustCompile(`(?m)^CMD (\[.*\])$`).FindAllSubmatch(recipe, -1)
	require.Len(t, commands, 2)
	for _, c := range commands {
		var args []string
		require.NoError(t, json.Unmarshal(c[1], &args))
		given, err := parse(args)
		require.NoError(t, err)
		require.Equal(t, "0.0.0.0", given["host"], "nobody else reaches a container")
	}
	require.Contains(t, string(recipe), " ./cmd/rpyc_classic\n")
	unit, err := os.ReadFile("rpyc_classic.service")
	require.NoError(t, err)
	_, line, found := strings.Cut(string(unit), "\nExecStart=/usr/local/bin/rpyc_classic ")
	require.True(t, found)
	line, _, _ = strings.Cut(line, "\n")
	_, err = parse(strings.Fields(line))
	require.NoError(t, err)

	ignored, err := os.ReadFile("../../.dockerignore")
	require.NoError(t, err)
	for _, needed := range []string{"go.mod", "go.sum", "brine", "classic", "cmd", "netref", "protocol", "registry",
		"servers"} {
		require.NotContains(t, strings.Split(string(ignored), "\n"), needed)
	}
}
