package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert/yaml"
	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// TestDeploy runs the service, asks it what the files here say that orchestrators ask, and orders it to end.
func TestDeploy(t *testing.T) {
	ctx, order := context.WithCancel(context.Background())
	addrs := make(chan net.Addr, 2)
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, options{listen: "127.0.0.1:0", health: "127.0.0.1:0", drain: time.Millisecond,
			grace: time.Minute}, func(rpyc, health net.Addr) { addrs <- rpyc; addrs <- health })
	}()
	rpyc, health := (<-addrs).String(), (<-addrs).String()
	c, err := protocol.Dial(t.Context(), "tcp", rpyc, nil)
	require.NoError(t, err)
	text, err := netref.Call[string](t.Context(), c.Root(), "greet", "you")
	require.NoError(t, err)
	require.Equal(t, "hello you", text)
	paths := probePaths(t)
	require.Len(t, paths, 3)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range paths {
		require.Eventually(t, func() bool {
			resp, err := client.Get("http://" + health + path)
			require.NoError(t, err)
			_ = resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		}, time.Minute, time.Millisecond, path)
	}
	order()
	require.NoError(t, <-ended)
	<-c.Done()
	require.Error(t, run(t.Context(), options{listen: "127.0.0.1:0", health: "nowhere:x"}, nil))
}

// probePaths are those that the files have probed by HTTP.
func probePaths(t *testing.T) (paths []string) {
	text, err := os.ReadFile("kubernetes.yaml")
	require.NoError(t, err)
	type probe struct {
		HTTPGet struct{ Path string } `yaml:"httpGet"`
	}
	for _, doc := range strings.Split(string(text), "\n---\n") {
		var d struct {
			Kind string
			Spec struct {
				Template struct {
					Spec struct {
						Containers []struct {
							Liveness  probe `yaml:"livenessProbe"`
							Readiness probe `yaml:"readinessProbe"`
						}
					}
				}
			}
		}
		require.NoError(t, yaml.Unmarshal([]byte(doc), &d))
		require.NotEmpty(t, d.Kind)
		for _, c := range d.Spec.Template.Spec.Containers {
			paths = append(paths, c.Liveness.HTTPGet.Path, c.Readiness.HTTPGet.Path)
		}
	}
	text, err = os.ReadFile("nomad.json")
	require.NoError(t, err)
	var job struct {
		Job struct {
			TaskGroups []struct {
				Services []struct{ Checks []struct{ Path string } }
			}
		}
	}
	require.NoError(t, json.Unmarshal(text, &job))
	for _, g := range job.Job.TaskGroups {
		for _, s := range g.Services {
			for _, c := range s.Checks {
				paths = append(paths, c.Path)
			}
		}
	}
	return paths
}

// TestContainer builds the image and runs it, where there is an engine for containers. It takes a minute, so
// scripts/test --all asks for it.
func TestContainer(t *testing.T) {
	if os.Getenv("GORPYC_CONTAINER") == "" {
		t.Skip("GORPYC_CONTAINER is not set")
	}
	platform, err := exec.Command("docker", "version", "-f", "{{.Server.Os}}/{{.Server.Arch}}").CombinedOutput()
	if err != nil {
		t.Skipf("no engine for containers: %v: %s", err, platform)
	}
	system, arch, _ := strings.Cut(strings.TrimSpace(string(platform)), "/")
	dir := t.TempDir()
	do := func(stdin io.Reader, name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch)
		cmd.Stdin = stdin
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%v: %s", cmd, out)
		return strings.TrimSpace(string(out))
	}
	do(nil, "go", "build", "-o", dir+"/", ".", "../../cmd/gorpyc")
	recipe, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), recipe, 0o600))
	var files bytes.Buffer // an engine may not see this directory
	archive := tar.NewWriter(&files)
	require.NoError(t, archive.AddFS(os.DirFS(dir)))
	require.NoError(t, archive.Close())
	image := fmt.Sprintf("gorpyc-test-%d", os.Getpid())
	do(&files, "docker", "build", "-t", image, "-")
	defer exec.Command("docker", "rmi", "-f", image).Run()
	id := do(nil, "docker", "run", "-d", image, "--drain=0s")
	defer exec.Command("docker", "rm", "-f", id).Run()
	require.Eventually(t, func() bool {
		return exec.Command("docker", "exec", id, "/gorpyc", "ping", "--count=1", "127.0.0.1:18861").Run() == nil
	}, time.Minute, 100*time.Millisecond)
	do(nil, "docker", "stop", "-t", "30", id)
	require.Equal(t, "0", do(nil, "docker", "inspect", "-f", "{{.State.ExitCode}}", id), "SIGTERM ends it in order")
}
