package binding

import (
	"strings"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Methods of builtin classes are no Go funcs with parameters of their own: they take their arguments as a slice, and
// only their number is checked, by the words that CPython has for functions written in C.

// BuiltinArgs returns the positional arguments of a builtin method that takes between least and most, and no keywords.
// qual is its name with the class's ("list.append"), name without.
func BuiltinArgs(a *Args, qual, name string, least, most int) ([]any, error) {
	if err := refuseKeywords(a, qual, name); err != nil {
		return nil, err
	}
	pos, err := a.Positional()
	if err != nil {
		return nil, err
	}
	n := len(pos)
	switch {
	case n >= least && n <= most:
		return pos, nil
	case IsWrapper(qual, name) && least == most:
		return nil, vinegar.TypeError.Errorf("expected %d argument%s, got %d", least, plural(least), n)
	case least == 0 && most == 0:
		return nil, vinegar.TypeError.Errorf("%s() takes no arguments (%d given)", qual, n)
	case least == 1 && most == 1:
		return nil, vinegar.TypeError.Errorf("%s() takes exactly one argument (%d given)", qual, n)
	}
	bound, limit := "", least
	switch {
	case least != most && n < least:
		bound = "at least "
	case least != most:
		bound, limit = "at most ", most
	}
	return nil, vinegar.TypeError.Errorf("%s expected %s%d argument%s, got %d", name, bound, limit, plural(limit), n)
}

func refuseKeywords(a *Args, qual, name string) error {
	if a.HasNoKeywords() {
		return nil
	}
	if _, err := a.Keywords(); err != nil {
		return err
	}
	if IsSpecial(name) {
		return vinegar.TypeError.Errorf("wrapper %s() takes no keyword arguments", name)
	}
	return vinegar.TypeError.Errorf("%s() takes no keyword arguments", qual)
}

// IsSpecial reports whether name has the form of a special method: __len__.
func IsSpecial(name string) bool {
	return len(name) > 4 && name[:2] == "__" && name[len(name)-2:] == "__"
}

// IsWrapper reports whether CPython implements the builtin method by a slot of the type, around which a method-wrapper
// is put ("wrapper __len__()"): nearly all special methods are, and some are ordinary methods.
func IsWrapper(qual, name string) bool { return IsSpecial(name) && !plainMethods[qual] }

// plainMethods are the special methods that CPython implements as ordinary methods, which shows in their errors.
var plainMethods = func() map[string]bool {
	set := map[string]bool{}
	for _, qual := range strings.Fields(`
		object.__format__ object.__dir__ list.__getitem__ list.__reversed__ dict.__getitem__
		dict.__contains__ dict.__reversed__ set.__contains__ list_iterator.__length_hint__
		tuple_iterator.__length_hint__ set_iterator.__length_hint__ dict_keyiterator.__length_hint__
		type.__instancecheck__`) {
		set[qual] = true
	}
	return set
}()
