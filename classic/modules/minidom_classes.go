//go:build unix

package modules

import (
	"encoding/xml"
	"fmt"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// What peers see of the nodes of xml.dom.minidom. Every class has the properties and methods of nodes, and its own.

// nodeClass registers the class of a kind of node.
func nodeClass[T any](name string, node func(*T) *xmlNode, properties map[string]exposed.Property, methods map[string]any) *exposed.Class {
	property := func(get func(*xmlNode) any) exposed.Property {
		return exposed.Property{Hidden: true, Get: func(v *T) any { return get(node(v)) }}
	}
	all := map[string]exposed.Property{
		"nodeType": property(func(n *xmlNode) any { return int(n.kind) }),
		"nodeName": property(func(n *xmlNode) any { return n.name }),
		"nodeValue": property(func(n *xmlNode) any {
			if n.kind == elementNode || n.kind == documentNode {
				return nil
			}
			return n.value
		}),
		"childNodes":      property(func(n *xmlNode) any { return n.list(n.children) }),
		"parentNode":      property(func(n *xmlNode) any { return n.parent.object() }),
		"firstChild":      property(func(n *xmlNode) any { return n.at(0).object() }),
		"lastChild":       property(func(n *xmlNode) any { return n.at(len(n.children) - 1).object() }),
		"nextSibling":     property(func(n *xmlNode) any { return n.sibling(1).object() }),
		"previousSibling": property(func(n *xmlNode) any { return n.sibling(-1).object() }),
		"ownerDocument": property(func(n *xmlNode) any {
			if n.kind == documentNode {
				return nil
			}
			return n.doc.object()
		}),
	}
	for i, kind := range []nodeKind{elementNode, textNode, cdataNode, instructionNode, commentNode, documentNode} {
		constant := []string{"ELEMENT_NODE", "TEXT_NODE", "CDATA_SECTION_NODE", "PROCESSING_INSTRUCTION_NODE", "COMMENT_NODE", "DOCUMENT_NODE"}[i]
		all[constant] = property(func(*xmlNode) any { return int(kind) })
	}
	for n, p := range properties {
		all[n] = p
	}
	hidden := map[string]any{
		"hasChildNodes": func(v *T) bool { return len(node(v).children) > 0 },
		"appendChild":   exposed.Func(func(v *T, child any) (any, error) { return node(v).appendChild(child) }, "node"),
		"removeChild":   exposed.Func(func(v *T, child any) (any, error) { return node(v).removeChild(child) }, "oldChild"),
		"toxml":         func(v *T) string { return node(v).toxml() },
		"__bool__":      func(*T) bool { return true },
	}
	for n, m := range methods {
		hidden[n] = m
	}
	return exposed.Register[T](exposed.ClassOptions{Name: "xml.dom.minidom." + name, Properties: all, Hidden: hidden})
}

// dataProperty is the text of a node.
func dataProperty[T any](node func(*T) *xmlNode) exposed.Property {
	return exposed.Property{Hidden: true, Get: func(v *T) string { return node(v).value }, Set: func(v *T, text string) { node(v).value = text }}
}

// dataRepr is the repr of a node with text, which is cut as Python cuts it.
func dataRepr(class, text string) string {
	more := ""
	if utf8.RuneCountInString(text) > 10 {
		text, more = string([]rune(text)[:10]), "..."
	}
	return fmt.Sprintf("<DOM %s node \"%s%s\">", class, vinegar.Repr(text), more)
}

var (
	textClass = nodeClass("Text", func(v *domText) *xmlNode { return v.node },
		map[string]exposed.Property{"data": dataProperty(func(v *domText) *xmlNode { return v.node })},
		map[string]any{"__repr__": func(v *domText) string { return dataRepr("Text", v.node.value) }})
	cdataClass = nodeClass("CDATASection", func(v *domCDATA) *xmlNode { return v.node },
		map[string]exposed.Property{"data": dataProperty(func(v *domCDATA) *xmlNode { return v.node })},
		map[string]any{"__repr__": func(v *domCDATA) string { return dataRepr("CDATASection", v.node.value) }})
	commentClass = nodeClass("Comment", func(v *domComment) *xmlNode { return v.node },
		map[string]exposed.Property{"data": dataProperty(func(v *domComment) *xmlNode { return v.node })},
		map[string]any{"__repr__": func(v *domComment) string { return dataRepr("Comment", v.node.value) }})
	instructionClass = nodeClass("ProcessingInstruction", func(v *domInstruction) *xmlNode { return v.node },
		map[string]exposed.Property{
			"data":   dataProperty(func(v *domInstruction) *xmlNode { return v.node }),
			"target": {Hidden: true, Get: func(v *domInstruction) string { return v.node.name }},
		}, nil)
	documentClass = nodeClass("Document", func(v *domDocument) *xmlNode { return v.node },
		map[string]exposed.Property{
			"documentElement": {Hidden: true, Get: func(v *domDocument) any {
				for _, c := range v.node.byKind(elementNode) {
					return c.self
				}
				return nil
			}},
		},
		map[string]any{
			"getElementsByTagName": exposed.Func(func(v *domDocument, name string) *exposed.List {
				return v.node.list(v.node.byName(name, nil))
			}, "name"),
			"createElement": exposed.Func(func(v *domDocument, name string) any {
				return newNode(v.node, elementNode, name, "").self
			}, "tagName"),
			"createTextNode": exposed.Func(func(v *domDocument, text string) any {
				return newNode(v.node, textNode, "#text", text).self
			}, "data"),
			"createComment": exposed.Func(func(v *domDocument, text string) any {
				return newNode(v.node, commentNode, "#comment", text).self
			}, "data"),
		})
	elementClass = nodeClass("Element", func(v *domElement) *xmlNode { return v.node },
		map[string]exposed.Property{"tagName": {Hidden: true, Get: func(v *domElement) string { return v.node.name }}},
		map[string]any{
			"__repr__": func(v *domElement) string { return fmt.Sprintf("<DOM Element: %s at %p>", v.node.name, v.node) },
			"getElementsByTagName": exposed.Func(func(v *domElement, name string) *exposed.List {
				return v.node.list(v.node.byName(name, nil))
			}, "name"),
			"hasAttributes": func(v *domElement) bool { return len(v.node.attrs) > 0 },
			"hasAttribute": exposed.Func(func(v *domElement, name string) bool {
				_, ok := v.node.attr(name)
				return ok
			}, "name"),
			"getAttribute": exposed.Func(func(v *domElement, name string) string {
				if i, ok := v.node.attr(name); ok {
					return v.node.attrs[i].Value
				}
				return ""
			}, "attname"),
			"setAttribute": exposed.Func(func(v *domElement, name, value string) {
				if i, ok := v.node.attr(name); ok {
					v.node.attrs[i].Value = value
					return
				}
				v.node.attrs = append(v.node.attrs, xml.Attr{Name: xml.Name{Local: name}, Value: value})
			}, "attname", "value"),
			"removeAttribute": exposed.Func(func(v *domElement, name string) error {
				i, ok := v.node.attr(name)
				if !ok {
					return notFoundErr.New()
				}
				v.node.attrs = append(v.node.attrs[:i:i], v.node.attrs[i+1:]...)
				return nil
			}, "name"),
		})
)
