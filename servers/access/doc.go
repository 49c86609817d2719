// Package access decides what each peer of a server may do, and how often, by who it is (protocol.Identity) and by what
// it asks for. A [Policy] is a list of rules, made in Go or read from a file by [Load]:
//
//	{
//	  "rules": [
//	    {"who": ["spiffe://example.org/billing"], "kinds": ["tls"], "allow": ["invoice_*", "Invoice.*"], "rate": 500},
//	    {"who": ["ann", "bob"], "attrs": {"team": "sales"}, "deny": ["delete_*"], "concurrent": 4,
//	     "methods": [{"method": "report", "rate": 1, "burst": 3}]},
//	    {"who": ["*"], "allow": ["status"], "read_only": true, "deny_pickle": true, "rate": 10, "wait": "-1s"}
//	  ],
//	  "methods": [{"method": "reindex", "concurrent": 1}]
//	}
//
//	policy, err := access.Load("policy.json")
//	enforcer, err := access.New(policy)
//	server := &servers.Server{Service: service, Authenticator: authenticator, Config: enforcer.Config(nil)}
//
// The first rule that is for a peer counts; a peer that no rule is for may do nothing. What a peer may not do it sees
// as what CPython's RPyC raises for what its configuration denies: AttributeError "cannot access 'name'", and
// ValueError "pickling is disabled". What is too often or too much waits a little and is then a BlockingIOError with an
// attribute retry_after, in seconds. A policy comes on top of protocol.Config: it opens nothing that Config.Access, or
// Config.AllowPickle, does not.
//
// # Patterns
//
// In a pattern * stands for any text; all else counts as it is. A pattern for methods is "name" or "Class.name",
// without RPyC's prefix, and stands for every attribute of that name, under whatever spelling it is asked for. The name
// is Python's or Go's, "delete_all" or "DeleteAll". Without a class it is of the service, the root object. With one it
// is of objects of this class, which is given as Python sees it, with its module or without: "Invoice.total",
// "shop.Invoice.*".
package access
