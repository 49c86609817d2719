package registry

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// DetailsSuffix ends the names under which [Details] are registered.
const DetailsSuffix = "#DETAILS"

// Details is a registrar that tells, beside where a server is, how it stands among the others, for clients that ask for
// it: package registry/sources' Registry with Details. RPyC's registries and clients know nothing of it and are not
// disturbed: it is registered under a name of its own for each name, with the suffix [DetailsSuffix], and with a text
// in place of the port, such as "18861 weight=3 zone=eu-1". Listings of names have these names, too.
//
// Fields must not be changed while it is in use.
type Details struct {
	// Registrar is who asks the registry.
	Registrar
	// Weight, Priority, Zone and ServerName are those of protocol.Address. Zone and ServerName have no blanks.
	Weight, Priority int
	Zone, ServerName string
}

var _ Registrar = (*Details)(nil)

// Register registers the details, and then the server.
func (d *Details) Register(ctx context.Context, names []string, ep Endpoint) error {
	if details, ok := d.of(ep); ok {
		also := make([]string, len(names))
		for i, name := range names {
			also[i] = name + DetailsSuffix
		}
		if err := d.Registrar.Register(ctx, also, details); err != nil {
			return err
		}
	}
	return d.Registrar.Register(ctx, names, ep)
}

// Unregister unregisters the server and its details.
func (d *Details) Unregister(ctx context.Context, ep Endpoint) error {
	err := d.Registrar.Unregister(ctx, ep)
	if details, ok := d.of(ep); ok {
		err = cmp.Or(err, d.Registrar.Unregister(ctx, details))
	}
	return err
}

// of returns what the details are registered as; false if there is nothing to tell, or it cannot be told.
func (d *Details) of(ep Endpoint) (Endpoint, bool) {
	at := ep.Path
	if at == "" {
		at = strconv.Itoa(ep.Port)
	}
	text := at
	for _, n := range []struct {
		key   string
		value int
	}{{"weight", d.Weight}, {"priority", d.Priority}} {
		if n.value != 0 {
			text += fmt.Sprintf(" %s=%d", n.key, n.value)
		}
	}
	for _, s := range []struct{ key, value string }{{"zone", d.Zone}, {"name", d.ServerName}} {
		if s.value != "" && !strings.ContainsAny(s.value, " \t\r\n#") {
			text += " " + s.key + "=" + s.value
		}
	}
	return Endpoint{Host: ep.Host, Path: text}, text != at && !strings.ContainsAny(at, " \t\r\n#")
}
