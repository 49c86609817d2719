// Package wrong has directives that cannot be followed.
package wrong

//rpyc:servcie
//rpyc:default a=1
type T struct{}

// M has wrong defaults.
//
//rpyc:default a='x'
//rpyc:default nope=1
//rpyc:default b=[]
//rpyc:default b
//rpyc:default b='x
//rpyc:kwonly
//rpyc:posonly nope
func (T) M(a, b int) {}

//rpyc:default a=1
func (T) Order(a, b int) {}

//rpyc:kwonly a
func (T) Middle(a, b int) {}

//rpyc:params a
func (T) Few(a, b int) {}

//rpyc:params a, b, c
func (T) Many(a, b int) {}

//rpyc:params a, *b
func (T) Star(a, b int) {}

//rpyc:params a, b='x'
//rpyc:default a=1
func (T) Both(a, b int) {}

//rpyc:params a, lambda
func (T) Word(a, b int) {}

//rpyc:class
type NoConstructor struct{ X int }

//rpyc:class NewOther
//rpyc:expose Nothing
//rpyc:name not-a-name
//rpyc:service now
type Other struct{ X int }

//rpyc:name not a name
func (T) Named() {}

// NewOther does not return one.
//
//rpyc:name setFree
func NewOther() T { return T{} }

//rpyc:service
type Number int
