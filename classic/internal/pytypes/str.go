package pytypes

import (
	"context"
	"encoding/hex"
	"maps"
	"unicode"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

func strMethods() map[string]any {
	m := sharedMethods(ofStr)
	m["casefold"] = m["lower"]
	for name, test := range map[string]func(string) bool{
		"isdecimal": every(unicode.IsDigit), "isidentifier": pyvalue.IsIdentifier,
	} {
		m[name] = ofStr.method(0, 0, func(_ context.Context, s string, _ []any) (any, error) { return test(s), nil })
	}
	m["encode"] = exposed.Func(func(self string, encoding, errors any) (any, error) {
		return encode(self, "encode", encoding, errors)
	}, "self", "encoding='utf-8'", "errors='strict'")
	m["format"] = exposed.Func(func(self string, ctx context.Context, args []any, kw []netref.Keyword) (string, error) {
		return formatFields(ctx, self, args, kw)
	}, "self", "*args", "**kwargs")
	m["format_map"] = ofStr.method(1, 1, func(ctx context.Context, s string, args []any) (any, error) {
		f := fields{ctx: ctx, mapped: true}
		f.named = func(name string) (any, error) { return exposed.GetItem(ctx, args[0], name) }
		return f.format(s, 0)
	})
	m["__mod__"] = ofStr.method(1, 1, func(ctx context.Context, s string, args []any) (any, error) {
		return percentFormat(ctx, s, args[0], false)
	})
	maps.Copy(m, formatMethod(formatString))
	return m
}

func bytesMethods() map[string]any {
	m := sharedMethods(ofBytes)
	m["decode"] = exposed.Func(func(self []byte, encoding, errors any) (any, error) {
		return decode(self, "decode", encoding, errors)
	}, "self", "encoding='utf-8'", "errors='strict'")
	m["hex"] = ofBytes.method(0, 0, func(_ context.Context, s string, _ []any) (any, error) {
		return hex.EncodeToString(narrow(s)), nil
	})
	m["__mod__"] = ofBytes.method(1, 1, func(ctx context.Context, s string, args []any) (any, error) {
		out, err := percentFormat(ctx, s, args[0], true)
		return narrow(out), err
	})
	return m
}
