package main

import "strings"

// readLocal reads the classes that a func defines, as if they were the module's.
func (m *pyModule) readLocal(block []*statement, f *pyFunc) error {
	var decorators []*statement
	for _, s := range block {
		if strings.HasPrefix(s.text, "@") {
			decorators = append(decorators, s)
			continue
		}
		if definition.MatchString(s.text) && strings.HasPrefix(s.text, "class") {
			if err := m.readType(s, nil, decorators); err != nil {
				return err
			}
			m.types[len(m.types)-1].local = true
			m.note(s.number, "%s is defined in %s: what it uses of that func's variables has to be passed to it",
				m.types[len(m.types)-1].name, f.name)
		} else if !definition.MatchString(s.text) {
			if err := m.readLocal(s.body, f); err != nil {
				return err
			}
		}
		decorators = nil
	}
	return nil
}

// readLambda reads "name = lambda a, b=1: a + b", which defines a func.
func (m *pyModule) readLambda(s *statement, in *pyType, name, value string) bool {
	inner, static := strings.CutPrefix(value, "staticmethod(")
	params, ok := strings.CutPrefix(inner, "lambda")
	params, result, found := cutTop(params, ':')
	if !ok || !found {
		return false
	}
	var decorators []*statement
	if static {
		decorators = []*statement{{pyLine: pyLine{s.number, s.indent, "@staticmethod"}}}
		result = strings.TrimSuffix(result, ")")
	}
	head := pyLine{s.number, s.indent, "def " + name + "(" + params + ")"}
	body := []*statement{{pyLine: pyLine{s.number, s.indent, "return " + result}, end: s.end}}
	f, err := m.readFunc(&statement{pyLine: head, end: s.end, body: body}, in, decorators)
	if err != nil {
		return false
	}
	m.addFunc(f, in)
	return true
}
