// Package schema checks the files for orchestrators by the types that Kubernetes and Nomad read them into. It is a
// module of its own, because these types bring many others.
package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	nomad "github.com/hashicorp/nomad/api"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

func TestKubernetes(t *testing.T) {
	text, err := os.ReadFile("../kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var probes int
	for _, doc := range bytes.Split(text, []byte("\n---\n")) {
		var kind struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal(doc, &kind); err != nil {
			t.Fatal(err)
		}
		types := map[string]any{
			"apps/v1 Deployment": &appsv1.Deployment{}, "v1 Service": &corev1.Service{},
			"v1 ServiceAccount":                        &corev1.ServiceAccount{},
			"rbac.authorization.k8s.io/v1 Role":        &rbacv1.Role{},
			"rbac.authorization.k8s.io/v1 RoleBinding": &rbacv1.RoleBinding{},
		}
		name := kind.APIVersion + " " + kind.Kind
		if types[name] == nil {
			t.Fatalf("%q is unknown", name)
		}
		if err := yaml.UnmarshalStrict(doc, types[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d, ok := types[name].(*appsv1.Deployment); ok {
			c := d.Spec.Template.Spec.Containers[0]
			for _, p := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
				if p != nil && (p.HTTPGet == nil) != (p.Exec == nil) {
					probes++
				}
			}
		}
	}
	if probes != 3 {
		t.Errorf("%d probes", probes)
	}
}

func TestNomad(t *testing.T) {
	text, err := os.ReadFile("../nomad.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Job *nomad.Job }
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&file); err != nil {
		t.Fatal(err)
	}
	if len(file.Job.TaskGroups) != 1 || len(file.Job.TaskGroups[0].Services[0].Checks) != 1 {
		t.Error("no group or check")
	}
}
