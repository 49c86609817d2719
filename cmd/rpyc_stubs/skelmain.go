package main

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

// writeMain writes the servers of the services, and in package main the program.
func (w *skeleton) writeMain(served []*pyType) error {
	for _, t := range served {
		w.server(t, w.started(t))
	}
	if w.pkg == "main" {
		w.mainFunc(served)
	}
	return nil
}

// server writes the funcs that make a service's root objects and its server.
func (w *skeleton) server(t *pyType, start *pyStart) {
	if start == nil {
		start = &pyStart{class: "ThreadedServer", service: t.name, options: map[string]string{}}
	}
	name := strings.TrimSuffix(t.goName, "Service")
	if name == "" {
		name = t.goName
	}
	w.roots = append(w.roots, name)
	writeComment(w.file, "", fmt.Sprintf("new%sRoot makes what clients have as conn.root.", name))
	w.printf("func new%sRoot() any { return New%s(%s) }\n\n", name, t.goName, w.constructorArgs(t, start))
	config := w.config(start)
	writeComment(w.file, "", fmt.Sprintf("%sConfig is the protocol_config of the service; nil is RPyC's default.",
		unexported(name)))
	w.printf("func %sConfig() *protocol.Config { return %s }\n\n", unexported(name), config)
	writeComment(w.file, "", fmt.Sprintf("New%sServer makes the server of the service.", name))
	w.printf("func New%sServer() (*servers.Server, error) {\n", name)
	auth := w.authenticator(start)
	fields := "\t\tNewService: new" + name + "Root,\n"
	if start.shared {
		fields = "\t\tService: new" + name + "Root(), // one for all connections: its methods run in parallel and " +
			"need a lock\n"
		w.m.note(start.line, "%s is shared by all clients and needs a lock: Go serves them in parallel", t.name)
	}
	fields += "\t\tConfig: " + unexported(name) + "Config(),\n" + auth + w.serverOptions(start)
	w.printf("\treturn &servers.Server{\n%s\t}, nil\n}\n\n", fields)
}

// constructorArgs are the arguments with which the module makes the service.
func (w *skeleton) constructorArgs(t *pyType, start *pyStart) string {
	c := w.classes[t]
	if c.init == nil {
		return ""
	}
	var values []string
	for i, arg := range c.init.args {
		if strings.HasPrefix(arg.typ, "...") {
			break
		}
		text, given := "", false
		if _, def, ok := strings.Cut(arg.decl, "="); ok {
			text, given = def, true
		}
		keyword := false
		for j, a := range start.args {
			if name, value, ok := strings.Cut(a, "="); ok && strings.TrimSpace(name) == arg.param.Name {
				text, given, keyword = strings.TrimSpace(value), true, true
			} else if !ok && i == j && !keyword {
				text, given = a, true
			}
		}
		value := zero(arg.typ)
		v, err := w.literal(nil, text)
		if text != "" && err == nil && v != nil {
			element, ok := goElement(strings.TrimPrefix(arg.typ, "*"), v)
			if ok && arg.typ[0] == '*' {
				element = fmt.Sprintf("func() %s { v := %s(%s); return &v }()", arg.typ, arg.typ[1:], element)
			}
			if ok {
				value = element
			}
			if _, isTuple := v.([]any); isTuple || !ok {
				err = errNoLiteral
			}
		}
		if err != nil || !given {
			w.m.note(start.line, "the argument %s of %s is %s in main.go", arg.param.Name, t.name, value)
		}
		values = append(values, value)
	}
	return strings.Join(values, ", ")
}

// configKeys are what keys of protocol_config are in a Config, if they have the value that is not RPyC's default.
var configKeys = map[string]struct {
	other any
	field string
}{
	"allow_public_attrs":      {true, "Access.AllowPublic: true"},
	"allow_all_attrs":         {true, "Access.AllowAll: true"},
	"allow_setattr":           {true, "Access.AllowSet: true"},
	"allow_delattr":           {true, "Access.AllowDel: true"},
	"allow_getattr":           {false, "Access.DenyGet: true"},
	"allow_safe_attrs":        {false, "Access.DenySafe: true"},
	"allow_exposed_attrs":     {false, "Access.DenyExposed: true"},
	"allow_pickle":            {true, "AllowPickle: true"},
	"include_local_traceback": {false, "HideTraceback: true"},
	"include_local_version":   {false, "HideVersion: true"},
	"bind_threads":            {true, "BindThreads: true"},
}

// moot are keys that need nothing in Go.
var moot = []string{"instantiate_custom_exceptions", "import_custom_exceptions", "instantiate_oldstyle_exceptions",
	"log_exceptions", "close_catchall", "propagate_SystemExit_locally", "propagate_KeyboardInterrupt_locally"}

// config is an expression for the protocol_config of a server.
func (w *skeleton) config(start *pyStart) string {
	text := start.options["protocol_config"]
	if inspect.IsName(text) {
		if value := w.m.assigned(text); value != "" {
			text = value
		}
	}
	if text == "" {
		return "nil"
	}
	values := map[string]any{}
	v, err := w.literal(nil, text)
	entries, _ := v.(map[any]any)
	for key, value := range entries {
		values[fmt.Sprint(key)] = value
	}
	if err != nil {
		w.m.note(start.line, "protocol_config %s", inspect.Bounded(text, 100))
		return "nil"
	}
	var access, fields []string
	for _, key := range sortedKeys(values) {
		value := values[key]
		known, ok := configKeys[key]
		switch {
		case ok && value == known.other:
			if field, isAccess := strings.CutPrefix(known.field, "Access."); isAccess {
				access = append(access, field)
			} else {
				fields = append(fields, known.field)
			}
		case ok, slices.Contains(moot, key):
		case key == "sync_request_timeout" && value == nil:
			fields = append(fields, "Timeout: -1")
		case key == "sync_request_timeout":
			fields = append(fields, fmt.Sprintf("Timeout: time.Duration(%v * float64(time.Second))", value))
		default:
			w.m.note(start.line, "%s of protocol_config", key)
		}
	}
	if len(access) > 0 {
		fields = slices.Insert(fields, 0, "Access: exposed.Policy{"+strings.Join(access, ", ")+"}")
	}
	if len(fields) == 0 {
		return "nil"
	}
	return "&protocol.Config{" + strings.Join(fields, ", ") + "}"
}

// authenticator writes what makes the server's authenticator, and returns its field. What cannot be translated refuses
// everybody.
func (w *skeleton) authenticator(start *pyStart) string {
	text := start.options["authenticator"]
	if value := w.m.assigned(text); inspect.IsName(text) && value != "" {
		text = value
	}
	if text == "" || text == "None" {
		return ""
	}
	name, args, _ := strings.Cut(text, "(")
	if !strings.HasSuffix(w.m.resolve(name), "SSLAuthenticator") {
		w.m.note(start.line, "the authenticator %s: the server does not start until it is written", inspect.Bounded(text, 60))
		w.printf("\t// TODO: write the authenticator %s.\n", commentText(inspect.Bounded(text, 60)))
		w.printf("\tauthenticator := servers.Authenticator(nil)\n\tif authenticator == nil {\n" +
			"\t\treturn nil, errors.New(\"the authenticator is still to be written\")\n\t}\n")
		return "\t\tAuthenticator: authenticator,\n"
	}
	files := map[string]string{}
	for i, arg := range splitArgs(strings.TrimSuffix(args, ")")) {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			key, value = []string{"keyfile", "certfile", "ca_certs", "", "", "", "", ""}[min(i, 7)], arg
		}
		field := map[string]string{"keyfile": "Key", "certfile": "Cert", "ca_certs": "CA"}[strings.TrimSpace(key)]
		v, err := w.literal(nil, strings.TrimSpace(value))
		path, isText := v.(string)
		switch {
		case field == "" && v != nil, err != nil, !isText && v != nil:
			w.m.note(start.line, "%s of SSLAuthenticator", strings.TrimSpace(arg))
			if field != "" {
				files[field] = strings.ToLower(field) + ".pem"
			}
		case isText:
			files[field] = path
		}
	}
	var list []string
	for _, field := range sortedKeys(files) {
		list = append(list, fmt.Sprintf("%s: %q", field, files[field]))
	}
	w.printf("\tfiles := &transport.TLSFiles{%s}\n\tcfg, err := files.Server()\n\tif err != nil {\n"+
		"\t\treturn nil, err\n\t}\n",
		strings.Join(list, ", "))
	return "\t\tAuthenticator: servers.TLS(cfg),\n"
}

// serverOptions are further fields of the server.
func (w *skeleton) serverOptions(start *pyStart) string {
	fields := ""
	switch start.class {
	case "ThreadedServer", "GeventServer":
	case "ThreadPoolServer":
		fields += "\t\tMode: servers.Pool,\n"
	case "ForkingServer":
		fields += "\t\tMode: servers.Forking,\n"
	case "OneShotServer":
		fields += "\t\tMode: servers.OneShot,\n"
	default:
		w.m.note(start.line, "the class %s: the server is a threaded one", start.class)
	}
	for _, name := range sortedKeys(start.options) {
		v, err := w.literal(nil, start.options[name])
		n, isInt := v.(int64)
		switch name {
		case "hostname", "port", "socket_path", "protocol_config", "authenticator", "logger", "backlog", "reuse_addr",
			"listener_timeout":
		case "nbThreads":
			if isInt {
				fields += fmt.Sprintf("\t\tWorkers: %d,\n", n)
			}
		case "requestBatchSize":
			if isInt {
				fields += fmt.Sprintf("\t\tBatch: %d,\n", n)
			}
		case "auto_register", "registrar":
			if v == true || name == "registrar" && err != nil {
				fields = strings.ReplaceAll(fields, "\t\tRegistrar: &registry.UDPClient{},\n", "") +
					"\t\tRegistrar: &registry.UDPClient{},\n"
			}
			if name == "registrar" && v == nil && err == nil {
				continue
			}
			if name == "registrar" {
				w.m.note(start.line, "registrar = %s: it is a UDPClient that broadcasts", inspect.Bounded(start.options[name], 60))
			}
		default:
			if err != nil || v != nil && v != false {
				w.m.note(start.line, "the argument %s of %s", name, start.class)
			}
		}
	}
	return fields
}

// address is where the module has its server listen.
func (w *skeleton) address(start *pyStart) (network, address string) {
	if start == nil {
		return "tcp", "localhost:18861"
	}
	if path := start.options["socket_path"]; path != "" && path != "None" {
		if v, err := w.literal(nil, path); err == nil {
			if s, ok := v.(string); ok {
				return "unix", s
			}
		}
	}
	host, port := "", int64(18861)
	for _, name := range []string{"hostname", "port"} {
		text := start.options[name]
		if text == "" {
			continue
		}
		v, err := w.literal(nil, text)
		if err != nil {
			w.m.note(start.line, "%s = %s: see the option -addr", name, inspect.Bounded(text, 60))
		}
		switch v := v.(type) {
		case string:
			host = v
		case int64:
			port = v
		}
	}
	return "tcp", net.JoinHostPort(host, strconv.FormatInt(port, 10))
}

// forked is what a program with a forking server does when that has started it anew.
func (w *skeleton) forked(served []*pyType) string {
	for _, t := range served {
		if s := w.started(t); s != nil && s.class == "ForkingServer" {
			return "\tif servers.Forked() {\n\t\t_ = srv.ListenAndServe(ctx, *network, *addr)\n\t\treturn\n\t}\n"
		}
	}
	return ""
}

// mainFunc writes the program.
func (w *skeleton) mainFunc(served []*pyType) {
	network, address := w.address(w.started(served[0]))
	w.printf("func main() {\n\tnetwork := flag.String(\"network\", %q, \"tcp or unix\")\n", network)
	w.printf("\taddr := flag.String(\"addr\", %q, \"address or path to listen on\")\n", address)
	make := "New" + w.roots[0] + "Server"
	if len(served) > 1 {
		var names []string
		for _, t := range served {
			names = append(names, t.name)
		}
		w.printf("\tservice := flag.String(\"service\", %q, \"%s\")\n", served[0].name, strings.Join(names, ", "))
		w.m.note(0, "main.go serves one service at a time, %s without the option -service: %s", served[0].name,
			strings.Join(names, ", "))
	}
	w.printf("\tflag.Parse()\n")
	if len(served) > 1 {
		w.printf("\tmake := map[string]func() (*servers.Server, error){\n")
		for i, t := range served {
			w.printf("\t\t%q: New%sServer,\n", t.name, w.roots[i])
		}
		w.printf("\t}[*service]\n\tif make == nil {\n\t\tlog.Fatalf(\"there is no service %%q\", *service)\n\t}\n")
		make = "make"
	}
	w.printf("\tsrv, err := %s()\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n", make)
	w.printf(`	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
%s	l, err := net.Listen(*network, *addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %%s", l.Addr())
	if host, port, err := net.SplitHostPort(l.Addr().String()); err == nil { // for tests with pytest_gorpyc.py
		fmt.Println("READY", host, port)
	} else {
		fmt.Println("READY", "unix:"+l.Addr().String())
	}
	if err := srv.Serve(ctx, l); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}
`, w.forked(served))
	if w.m.tree == nil || w.m.start == nil {
		return
	}
	w.printf("\n// The lines of %s that this was made of:\n//\n", commentText(filepath.Base(w.m.path)))
	for _, s := range w.m.tree {
		if s.number <= w.m.start.line && w.m.start.line <= s.end {
			w.source("", s.number, s.end)
		}
	}
}
