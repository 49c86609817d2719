//go:build unix

package modules

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// xml.dom.minidom: documents are read, looked through, changed and written. A document type declaration is refused, so that no
// entity can be defined that grows or reads files; nodes have no NamedNodeMap, and namespaces are prefixes of names.

// nodeKind is nodeType.
type nodeKind int

const (
	elementNode     nodeKind = 1
	textNode        nodeKind = 3
	cdataNode       nodeKind = 4
	instructionNode nodeKind = 7
	commentNode     nodeKind = 8
	documentNode    nodeKind = 9

	maxXMLDepth = 1000
)

// xmlNode is a node of any kind; self is what peers see of it.
type xmlNode struct {
	kind        nodeKind
	name, value string
	attrs       []xml.Attr
	children    []*xmlNode
	parent, doc *xmlNode
	self        any
}

// The classes of nodes.
type (
	domDocument    struct{ node *xmlNode }
	domElement     struct{ node *xmlNode }
	domText        struct{ node *xmlNode }
	domCDATA       struct{ node *xmlNode }
	domInstruction struct{ node *xmlNode }
	domComment     struct{ node *xmlNode }
)

func newNode(doc *xmlNode, kind nodeKind, name, value string) *xmlNode {
	n := &xmlNode{kind: kind, name: name, value: value, doc: doc}
	switch kind {
	case documentNode:
		n.doc, n.self = n, &domDocument{n}
	case elementNode:
		n.self = &domElement{n}
	case textNode:
		n.self = &domText{n}
	case cdataNode:
		n.self = &domCDATA{n}
	case instructionNode:
		n.self = &domInstruction{n}
	case commentNode:
		n.self = &domComment{n}
	}
	return n
}

// object is the node to peers, None for nil.
func (n *xmlNode) object() any {
	if n == nil {
		return nil
	}
	return n.self
}

func nodeOf(v any) (*xmlNode, error) {
	switch d := v.(type) {
	case *domDocument:
		return d.node, nil
	case *domElement:
		return d.node, nil
	case *domText:
		return d.node, nil
	case *domCDATA:
		return d.node, nil
	case *domInstruction:
		return d.node, nil
	case *domComment:
		return d.node, nil
	}
	return nil, vinegar.AttributeError.Errorf("'%s' object has no attribute 'nodeType'", exposed.TypeName(v))
}

// at is a child, or nil.
func (n *xmlNode) at(i int) *xmlNode {
	if i < 0 || i >= len(n.children) {
		return nil
	}
	return n.children[i]
}

// sibling is the node some places from n.
func (n *xmlNode) sibling(by int) *xmlNode {
	if n.parent != nil {
		for i, c := range n.parent.children {
			if c == n {
				return n.parent.at(i + by)
			}
		}
	}
	return nil
}

func (n *xmlNode) list(nodes []*xmlNode) *exposed.List {
	l := exposed.NewList()
	for _, c := range nodes {
		l.Append(c.self)
	}
	return l
}

func (n *xmlNode) byName(name string, found []*xmlNode) []*xmlNode {
	for _, c := range n.children {
		if c.kind == elementNode && (name == "*" || c.name == name) {
			found = append(found, c)
		}
		found = c.byName(name, found)
	}
	return found
}

func (n *xmlNode) attr(name string) (int, bool) {
	for i, a := range n.attrs {
		if a.Name.Local == name {
			return i, true
		}
	}
	return 0, false
}

var (
	domException     = vinegar.NewClass("xml.dom.DOMException")
	hierarchyRequest = vinegar.NewClass("xml.dom.HierarchyRequestErr", domException)
	notFoundErr      = vinegar.NewClass("xml.dom.NotFoundErr", domException)
	expatError       = vinegar.NewClass("xml.parsers.expat.ExpatError")
)

func (n *xmlNode) appendChild(v any) (any, error) {
	c, err := nodeOf(v)
	if err != nil {
		return nil, err
	}
	single := n.kind == documentNode && c.kind == elementNode && len(n.byKind(elementNode)) > 0 && c.parent != n
	depth := 0
	for up := n; up != nil; up = up.parent {
		if up == c {
			single = true
		}
		depth++
	}
	if single || c.kind == documentNode || n.kind == documentNode && (c.kind == textNode || c.kind == cdataNode) || n.kind != elementNode && n.kind != documentNode {
		return nil, hierarchyRequest.New("this node cannot have that child")
	}
	if depth+c.depth() > maxXMLDepth {
		return nil, vinegar.RecursionError.New("elements nested too deep")
	}
	if c.parent != nil {
		c.parent.drop(c)
	}
	c.parent = n
	n.children = append(n.children, c)
	return v, nil
}

func (n *xmlNode) depth() int {
	most := 0
	for _, c := range n.children {
		most = max(most, c.depth())
	}
	return most + 1
}

func (n *xmlNode) byKind(kind nodeKind) []*xmlNode {
	var found []*xmlNode
	for _, c := range n.children {
		if c.kind == kind {
			found = append(found, c)
		}
	}
	return found
}

func (n *xmlNode) drop(c *xmlNode) bool {
	for i, other := range n.children {
		if other == c {
			n.children = append(n.children[:i:i], n.children[i+1:]...)
			c.parent = nil
			return true
		}
	}
	return false
}

func (n *xmlNode) removeChild(v any) (any, error) {
	c, err := nodeOf(v)
	if err == nil && !n.drop(c) {
		err = notFoundErr.New()
	}
	return v, err
}

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", ">", "&gt;")

func (n *xmlNode) write(b *strings.Builder) {
	switch n.kind {
	case documentNode:
		b.WriteString(`<?xml version="1.0" ?>`)
		for _, c := range n.children {
			c.write(b)
		}
	case elementNode:
		b.WriteString("<" + n.name)
		for _, a := range n.attrs {
			b.WriteString(" " + a.Name.Local + `="` + xmlEscapes.Replace(a.Value) + `"`)
		}
		if len(n.children) == 0 {
			b.WriteString("/>")
			return
		}
		b.WriteString(">")
		for _, c := range n.children {
			c.write(b)
		}
		b.WriteString("</" + n.name + ">")
	case textNode:
		b.WriteString(xmlEscapes.Replace(n.value))
	case cdataNode:
		b.WriteString("<![CDATA[" + n.value + "]]>")
	case instructionNode:
		b.WriteString("<?" + n.name + " " + n.value + "?>")
	case commentNode:
		b.WriteString("<!--" + n.value + "-->")
	}
}

func (n *xmlNode) toxml() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

// parseXML reads a document.
func parseXML(data []byte, isText bool) (any, error) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	if isText { // whatever it says of its encoding, it has been decoded
		dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	}
	doc := newNode(nil, documentNode, "#document", "")
	at, depth := doc, 0
	bad := func(format string, a ...any) error {
		line, column := dec.InputPos()
		return expatError.Errorf(format+": line %d, column %d", append(a, line, column-1)...).With("lineno", line).With("offset", column-1)
	}
	add := func(c *xmlNode) { c.parent, at.children = at, append(at.children, c) }
	for {
		from := dec.InputOffset()
		token, err := dec.RawToken()
		if errors.Is(err, io.EOF) && at == doc {
			break
		} else if err != nil {
			return nil, bad("not well-formed (%v)", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxXMLDepth {
				return nil, vinegar.RecursionError.New("elements nested too deep")
			}
			if at == doc && len(doc.byKind(elementNode)) > 0 {
				return nil, bad("junk after document element")
			}
			e := newNode(doc, elementNode, rawName(t.Name), "")
			for _, a := range t.Attr {
				name := rawName(a.Name)
				if _, twice := e.attr(name); twice {
					return nil, bad("duplicate attribute")
				}
				value := strings.NewReplacer("\n", " ", "\t", " ").Replace(a.Value)
				e.attrs = append(e.attrs, xml.Attr{Name: xml.Name{Local: name}, Value: value})
			}
			add(e)
			at = e
		case xml.EndElement:
			if at == doc || at.name != rawName(t.Name) {
				return nil, bad("mismatched tag")
			}
			at = at.parent
			depth--
		case xml.CharData:
			cdata := bytes.HasPrefix(data[from:], []byte("<![CDATA["))
			if at == doc {
				if cdata || len(bytes.Trim(t, " \t\r\n")) > 0 {
					return nil, bad("syntax error")
				}
				continue
			}
			if last := at.at(len(at.children) - 1); !cdata && last != nil && last.kind == textNode {
				last.value += string(t)
			} else if cdata {
				add(newNode(doc, cdataNode, "#cdata-section", string(t)))
			} else {
				add(newNode(doc, textNode, "#text", string(t)))
			}
		case xml.Comment:
			add(newNode(doc, commentNode, "#comment", string(t)))
		case xml.ProcInst:
			if t.Target != "xml" {
				add(newNode(doc, instructionNode, t.Target, string(t.Inst)))
			} else if from != 0 {
				return nil, bad("XML or text declaration not at start of entity")
			}
		case xml.Directive:
			return nil, vinegar.NotImplementedError.New("document type declarations are not supported")
		}
	}
	if len(doc.byKind(elementNode)) == 0 {
		return nil, bad("no element found")
	}
	return doc.self, nil
}

func rawName(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

func newXML(in *Interpreter) *Module {
	return New("xml", "Core XML support for Python.").Const("dom", in.must("xml.dom"))
}

func newXMLDOM(in *Interpreter) *Module {
	m := New("xml.dom", "W3C Document Object Model implementation for Python.")
	return m.Const("minidom", in.must("xml.dom.minidom"), "DOMException", domException, "HierarchyRequestErr", hierarchyRequest, "NotFoundErr", notFoundErr)
}

func newMinidom(in *Interpreter) *Module {
	m := New("xml.dom.minidom", "Simple implementation of the Level 1 DOM.")
	m.Const("Document", documentClass, "Element", elementClass, "Text", textClass, "Comment", commentClass, "CDATASection", cdataClass,
		"ProcessingInstruction", instructionClass)
	read := func(ctx context.Context, v any) (any, error) {
		if s, ok := v.(string); ok {
			return parseXML([]byte(s), true)
		}
		b, err := bytesOf(ctx, v)
		if err != nil {
			return nil, err
		}
		return parseXML(b, false)
	}
	m.Def("parseString", func(ctx context.Context, text, parser any) (any, error) {
		if parser != nil {
			return nil, vinegar.NotImplementedError.New("parsers of one's own are not supported")
		}
		return read(ctx, text)
	}, "string", "parser=None")
	if !in.allowed("io") && !in.allowed("builtins") {
		return m // it would open files
	}
	m.Def("parse", func(ctx context.Context, file, parser, _ any) (any, error) {
		if parser != nil {
			return nil, vinegar.NotImplementedError.New("parsers of one's own are not supported")
		}
		if name, ok := file.(string); ok {
			content, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			return parseXML(content, false)
		}
		content, err := exposed.CallAttr(ctx, everything, file, "read", exposed.NewArgs(nil, nil))
		if err != nil {
			return nil, err
		}
		return read(ctx, content)
	}, "file", "parser=None", "bufsize=None")
	return m
}
