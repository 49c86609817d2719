package inspect

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Methods asks for the methods of an object and their documentation, by name. Nothing of the object is called.
func Methods(ctx context.Context, o *netref.Object) (map[string]string, error) {
	ref, ok := o.Ref()
	if !ok {
		return nil, errors.New("the object is not resolved")
	}
	var v any
	if err := o.Peer().Request(ctx, &v, wire.HandleInspect, ref.Tuple()); err != nil {
		return nil, err
	}
	pairs, ok := v.(brine.Tuple)
	if !ok {
		return nil, fmt.Errorf("INSPECT returned a %s", exposed.TypeName(v))
	}
	docs := map[string]string{}
	for _, p := range pairs {
		pair, ok := p.(brine.Tuple)
		if !ok || len(pair) != 2 {
			continue
		}
		if name, ok := pair[0].(string); ok {
			docs[name], _ = pair[1].(string)
		}
	}
	return docs, nil
}

// Refused reports whether the peer answered with an exception: the question was not to its liking, but the
// connection is well.
func Refused(err error) bool {
	var e *vinegar.Error
	return errors.As(err, &e)
}

// UnlessRefused is err, or nil if the peer merely did not like the question.
func UnlessRefused(err error) error {
	if Refused(err) {
		return nil
	}
	return err
}

// SignatureOf reads what inspect.signature does of a function, method or class. A nil signature without an error means
// that there is none. It is an AttributeError that "cannot access" if the service does not open these attributes,
// whatever function is asked; services in Go open the first one that is asked for to everybody.
func SignatureOf(ctx context.Context, f *netref.Object) (sig *Signature, class bool, err error) {
	if sig, ok := textSignature(ctx, f); ok {
		return sig, f.IsClass(), nil
	}
	if f.IsClass() {
		init, err := netref.Get[*netref.Object](ctx, f, "__init__")
		if err != nil {
			return nil, true, UnlessRefused(err)
		}
		sig, _, err = SignatureOf(ctx, init)
		if sig != nil && len(sig.Params) > 0 && sig.Params[0].Name == "self" {
			sig.Params = sig.Params[1:]
		}
		if sig != nil {
			sig.Result = ""
		}
		return sig, true, UnlessRefused(err)
	}
	self, err := f.Get(ctx, "__self__")
	bound := err == nil && self != nil
	outer := f
	for range 10 {
		inner, err := f.Get(ctx, "__wrapped__")
		if errors.Is(err, vinegar.AttributeError) && !strings.Contains(err.Error(), "cannot access") {
			break
		}
		if err != nil {
			return nil, false, err
		}
		w, ok := inner.(*netref.Object)
		if !ok {
			break
		}
		f = w
	}
	code, err := f.Get(ctx, "__code__")
	if c, ok := code.(*netref.Object); ok && err == nil {
		sig, err := readCode(ctx, f, c)
		if sig != nil && bound && len(sig.Params) > 0 && sig.Params[0].Kind <= Normal {
			sig.Params = sig.Params[1:]
		}
		return sig, false, err
	}
	if f != outer {
		sig, _ = textSignature(ctx, f)
	}
	return sig, false, UnlessRefused(err)
}

// textSignature reads the signature that a builtin function has as a text; ok tells that there is one. It is nil if it
// makes no sense.
func textSignature(ctx context.Context, f *netref.Object) (sig *Signature, ok bool) {
	text, err := f.Get(ctx, "__text_signature__")
	s, isText := text.(string)
	if err != nil || !isText || len(s) >= 16<<10 {
		return nil, false
	}
	if sig, err = ParseSignature(s); err != nil {
		return nil, true
	}
	return sig, true
}

// Flags of code objects.
const (
	coVarArgs     = 0x04
	coVarKeywords = 0x08
)

// readCode makes a signature of a Python function's code object.
func readCode(ctx context.Context, f, code *netref.Object) (*Signature, error) {
	var numbers [4]int
	for i, name := range []string{"co_argcount", "co_kwonlyargcount", "co_flags", "co_posonlyargcount"} {
		n, err := netref.Get[int](ctx, code, name)
		if err != nil && i < 3 {
			return nil, err
		}
		numbers[i] = n
	}
	positional, kwonly, flags, posonly := numbers[0], numbers[1], numbers[2], numbers[3]
	names, err := netref.Get[[]string](ctx, code, "co_varnames")
	if err != nil {
		return nil, err
	}
	all := positional + kwonly
	total := all
	if flags&coVarArgs != 0 {
		total++
	}
	if flags&coVarKeywords != 0 {
		total++
	}
	if positional < 0 || kwonly < 0 || all > MaxParams || total > len(names) || posonly > positional {
		return nil, nil // no code that Python would make
	}
	sig := &Signature{}
	for i, name := range names[:positional] {
		p := Parameter{Name: name, Kind: Normal}
		if i < posonly {
			p.Kind = PositionalOnly
		}
		sig.Params = append(sig.Params, p)
	}
	if flags&coVarArgs != 0 {
		sig.Params = append(sig.Params, Parameter{Name: names[all], Kind: VarPositional})
	}
	for _, name := range names[positional:all] {
		sig.Params = append(sig.Params, Parameter{Name: name, Kind: KeywordOnly})
	}
	if flags&coVarKeywords != 0 {
		sig.Params = append(sig.Params, Parameter{Name: names[total-1], Kind: VarKeyword})
	}
	if err := sig.readDefaults(ctx, f, positional); err != nil {
		return nil, err
	}
	annotations, err := AnnotationsOf(ctx, f)
	if err != nil {
		return nil, err
	}
	for i := range sig.Params {
		sig.Params[i].Type = annotations.Types[sig.Params[i].Name]
	}
	sig.Result, sig.Classes = annotations.Types["return"], annotations.Classes
	return sig, sig.valid()
}

func (s *Signature) readDefaults(ctx context.Context, f *netref.Object, positional int) error {
	v, err := f.Get(ctx, "__defaults__")
	if err != nil {
		return UnlessRefused(err)
	}
	if t, ok := v.(brine.Tuple); ok && len(t) <= positional {
		for i, d := range t {
			s.Params[positional-len(t)+i].setDefault(ctx, d)
		}
	} else if o, ok := v.(*netref.Object); ok {
		n, err := o.Len(ctx)
		if err != nil || n < 0 || n > positional {
			return UnlessRefused(err)
		}
		for i := positional - n; i < positional; i++ {
			s.Params[i].Default = "..."
		}
	}
	kw, err := f.Get(ctx, "__kwdefaults__")
	o, ok := kw.(*netref.Object)
	if err != nil || !ok {
		return UnlessRefused(err)
	}
	for i := range s.Params {
		if p := &s.Params[i]; p.Kind == KeywordOnly {
			d, err := o.Item(ctx, p.Name)
			if err == nil {
				p.setDefault(ctx, d)
			} else if !errors.Is(err, vinegar.KeyError) {
				return UnlessRefused(err)
			}
		}
	}
	return nil
}

// setDefault notes a default as Python writes it, for the documentation alone.
func (p *Parameter) setDefault(ctx context.Context, v any) {
	p.Default = "..."
	if _, isRef := v.(*netref.Object); isRef {
		return
	}
	if s, err := exposed.Repr(ctx, v); err == nil && len(s) <= 100 {
		p.Default = s
	}
}

// Annotations are those of a function or class, by name. Classes are the classes that they mention, by the names that
// they have in the texts.
type Annotations struct {
	Types   map[string]string
	Classes map[string]*netref.Object
}

const maxAnnotations = 2000

// AnnotationsOf reads the annotations of a function or class; there are none where the service does not open them.
func AnnotationsOf(ctx context.Context, f *netref.Object) (Annotations, error) {
	all := Annotations{Types: map[string]string{}, Classes: map[string]*netref.Object{}}
	v, err := f.Get(ctx, "__annotations__")
	o, ok := v.(*netref.Object)
	if err != nil || !ok {
		return all, UnlessRefused(err)
	}
	if n, err := o.Len(ctx); err != nil || n > maxAnnotations {
		return all, UnlessRefused(err)
	}
	items, err := netref.As[map[string]any](ctx, o)
	if err != nil {
		return all, UnlessRefused(err)
	}
	for name, v := range items {
		switch v := v.(type) {
		case nil:
			all.Types[name] = "None"
		case string:
			all.Types[name] = Bounded(v, MaxAnnotation)
			if err := all.named(ctx, f, all.Types[name]); err != nil {
				return all, err
			}
		case *netref.Object:
			text, err := v.Str(ctx)
			if err != nil {
				return all, UnlessRefused(err)
			}
			all.Types[name] = Bounded(text, MaxAnnotation)
			if err := all.collect(ctx, v, 0); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}

// collect notes a class, or those that are the arguments of a generic one.
func (a *Annotations) collect(ctx context.Context, o *netref.Object, depth int) error {
	if o.IsClass() {
		a.Classes[o.ClassName()] = o
		return nil
	}
	args, err := o.Get(ctx, "__args__")
	if t, ok := args.(brine.Tuple); ok && err == nil && depth < 5 && len(t) < MaxParams {
		for _, arg := range t {
			if inner, ok := arg.(*netref.Object); ok {
				if err := a.collect(ctx, inner, depth+1); err != nil {
					return err
				}
			}
		}
	}
	return UnlessRefused(err)
}

var word = regexp.MustCompile(`[\pL_][\pL\d_]*`)

// named notes the classes that an annotation written as a text names, as Python finds them: among the globals of f.
func (a *Annotations) named(ctx context.Context, f *netref.Object, text string) error {
	globals, err := f.Get(ctx, "__globals__")
	o, ok := globals.(*netref.Object)
	if err != nil || !ok {
		return UnlessRefused(err)
	}
	for _, name := range word.FindAllString(text, MaxParams) {
		if a.Classes[name] != nil {
			continue
		}
		v, err := o.Item(ctx, name)
		if class, ok := v.(*netref.Object); ok && err == nil && class.IsClass() {
			a.Classes[name] = class
		} else if UnlessRefused(err) != nil {
			return err
		}
	}
	return nil
}

// Bounded cuts a text of the peer's that is too long.
func Bounded(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + " […]"
}
