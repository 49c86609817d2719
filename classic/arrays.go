package classic

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

// ObtainArray copies a numpy array: its numbers in the order of the last index changing fastest, and its shape. The
// element type must be T or one that T holds without loss, see pickle.Values.
func ObtainArray[T pickle.Number](ctx context.Context, o *netref.Object) (data []T, shape []int, err error) {
	a, err := Obtain[*pickle.Array](ctx, o)
	if err != nil {
		return nil, nil, err
	}
	data, err = pickle.Values[T](a)
	return data, a.Shape, err
}

// DeliverArray makes a numpy array at the server, which must have numpy, of numbers and a shape; without a shape it has
// one dimension. The numbers go as they are in memory, in one message.
func DeliverArray[T pickle.Number](ctx context.Context, c *Conn, data []T, shape ...int) (*netref.Object, error) {
	a, err := pickle.NewArray(data, shape...)
	if err != nil {
		return nil, err
	}
	return c.deliverObject(ctx, a)
}

// Frame is a copy of a pandas.DataFrame, or of a structured numpy array: columns of one type each. It is not changed
// once made and can be shared.
type Frame struct {
	// Columns are the names of the columns in their order, as str() gives them. Several may have the same.
	Columns []string
	// Index holds the labels of the rows; those of a structured array are numbers from 0 on.
	Index *pickle.Array

	values []*pickle.Array
}

// Len is the number of rows.
func (f *Frame) Len() int { return f.Index.Len() }

// Array returns a column as it was obtained; nil if there is none of that name, and the first one of several.
func (f *Frame) Array(column string) *pickle.Array { return f.ArrayAt(slices.Index(f.Columns, column)) }

// ArrayAt is [Frame.Array] for the i-th column, the first being 0; nil if there are not so many.
func (f *Frame) ArrayAt(i int) *pickle.Array {
	if i < 0 || i >= len(f.values) {
		return nil
	}
	return f.values[i]
}

// Column returns a column of a frame as a slice of T, converted item by item as netref.Assign does; the first one of
// several of that name. Columns of dates are times in UTC. Where a value is missing, a pointer is nil, a float NaN and
// a time zero; for other types it is an error.
func Column[T any](f *Frame, name string) ([]T, error) {
	i := slices.Index(f.Columns, name)
	if i < 0 {
		return nil, fmt.Errorf("classic: the frame has no column %q", name)
	}
	return ColumnAt[T](f, i)
}

// ColumnAt is [Column] for the i-th column, the first being 0.
func ColumnAt[T any](f *Frame, i int) ([]T, error) {
	v := f.ArrayAt(i)
	if v == nil {
		return nil, fmt.Errorf("classic: the frame has no column %d", i)
	}
	xs, err := netref.As[[]T](context.Background(), v)
	if err != nil {
		return nil, fmt.Errorf("classic: column %q: %w", f.Columns[i], err)
	}
	return xs, nil
}

// ObtainFrame copies a pandas.DataFrame, column by column, or a structured numpy array. Dates with a time zone come in
// UTC.
func ObtainFrame(ctx context.Context, o *netref.Object) (*Frame, error) {
	if strings.HasPrefix(o.ClassName(), "numpy.") {
		return obtainRecords(ctx, o)
	}
	f := new(Frame)
	columns, err := netref.Get[*netref.Object](ctx, o, "columns")
	if err != nil {
		return nil, err
	}
	for name, err := range columns.BuffIter(ctx, nil) {
		if err != nil {
			return nil, err
		}
		text, err := exposed.Str(ctx, name)
		if err != nil {
			return nil, err
		}
		f.Columns = append(f.Columns, text)
	}
	index, err := netref.Get[*netref.Object](ctx, o, "index")
	if err != nil {
		return nil, err
	}
	if f.Index, err = arrayOf(ctx, index); err != nil {
		return nil, fmt.Errorf("classic: index: %w", err)
	}
	places, err := netref.Get[*netref.Object](ctx, o, "iloc") // by position, because a name may be there twice
	if err != nil {
		return nil, err
	}
	for i, name := range f.Columns {
		column, err := netref.Item[*netref.Object](ctx, places, brine.Tuple{brine.Slice{}, int64(i)})
		if err != nil {
			return nil, err
		}
		values, err := arrayOf(ctx, column)
		if err != nil {
			return nil, fmt.Errorf("classic: column %q: %w", name, err)
		}
		f.values = append(f.values, values)
	}
	return f, nil
}

// obtainRecords copies a structured array.
func obtainRecords(ctx context.Context, o *netref.Object) (*Frame, error) {
	a, err := Obtain[*pickle.Array](ctx, o)
	if err != nil {
		return nil, err
	}
	if len(a.Fields) == 0 || len(a.Shape) != 1 {
		return nil, fmt.Errorf("classic: a %s of %s with %d dimensions is no frame", o.ClassName(), a.DType, len(a.Shape))
	}
	f := new(Frame)
	for _, field := range a.Fields {
		f.Columns = append(f.Columns, field.Name)
		f.values = append(f.values, a.Field(field.Name))
	}
	rows := make([]int64, a.Len())
	for i := range rows {
		rows[i] = int64(i)
	}
	f.Index, err = pickle.NewArray(rows)
	return f, err
}

// Series is a column of a frame that is to be delivered: a slice under a name.
type Series struct {
	Name string
	// Data is a slice. Numbers go as they are in memory, everything else as Conn.Deliver sends it. Of pointers to
	// integers, truth values and strings, nil becomes what pandas has for a missing value that leaves the others what
	// they are: NA in an Int64, UInt64 or boolean column, None in one of objects.
	Data any
}

// DeliverFrame makes a pandas.DataFrame at the server, which must have pandas, of columns of the same length.
func DeliverFrame(ctx context.Context, c *Conn, columns ...Series) (*netref.Object, error) {
	frame, err := c.Module(ctx, "pandas")
	if err != nil {
		return nil, err
	}
	data := new(pickle.Dict)
	for _, s := range columns {
		values, err := numbers(s.Data)
		if err != nil {
			return nil, fmt.Errorf("classic: column %q: %w", s.Name, err)
		}
		if _, there := data.Get(s.Name); there {
			return nil, fmt.Errorf("classic: there are two columns %q", s.Name)
		}
		if n, rows := reflect.ValueOf(s.Data).Len(), reflect.ValueOf(columns[0].Data).Len(); n != rows {
			return nil, fmt.Errorf("classic: column %q has %d items, and the first one %d", s.Name, n, rows)
		}
		if err := data.Set(s.Name, values); err != nil {
			return nil, err
		}
	}
	delivered, err := c.deliverObject(ctx, data)
	if err != nil {
		return nil, err
	}
	return netref.Call[*netref.Object](ctx, frame, "DataFrame", delivered)
}

// numbers makes an array of a slice of numbers, and leaves other slices as they are.
func numbers(v any) (any, error) {
	switch xs := v.(type) {
	case []bool:
		return pickle.NewArray(xs)
	case []int8:
		return pickle.NewArray(xs)
	case []int16:
		return pickle.NewArray(xs)
	case []int32:
		return pickle.NewArray(xs)
	case []int64:
		return pickle.NewArray(xs)
	case []int:
		wide := make([]int64, len(xs))
		for i, x := range xs {
			wide[i] = int64(x)
		}
		return pickle.NewArray(wide)
	case []uint8:
		return pickle.NewArray(xs)
	case []uint16:
		return pickle.NewArray(xs)
	case []uint32:
		return pickle.NewArray(xs)
	case []uint64:
		return pickle.NewArray(xs)
	case []float32:
		return pickle.NewArray(xs)
	case []float64:
		return pickle.NewArray(xs)
	}
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Slice {
		return nil, fmt.Errorf("a %T is no slice", v)
	}
	if dtype := nullable(t.Elem()); dtype != "" {
		series := pickle.Class{Module: "pandas", Name: "Series"} // an array of objects would become one of texts and NaN
		return &pickle.Object{Class: series, Args: brine.Tuple{v, nil, dtype}}, nil
	}
	return v, nil
}

// nullable is pandas' name of the type of a column of what a pointer type points to; empty if pandas finds it itself.
func nullable(t reflect.Type) string {
	if t.Kind() != reflect.Pointer {
		return ""
	}
	switch k := t.Elem().Kind(); {
	case k == reflect.Bool:
		return "boolean"
	case k >= reflect.Int && k <= reflect.Int64 && t.Elem() != reflect.TypeFor[time.Duration]():
		return "Int64"
	case k >= reflect.Uint && k <= reflect.Uint64:
		return "UInt64"
	case k == reflect.String:
		return "object"
	}
	return ""
}

// arrayOf obtains the values of an index or a column.
func arrayOf(ctx context.Context, o *netref.Object) (*pickle.Array, error) {
	dtype, err := netref.Get[*netref.Object](ctx, o, "dtype")
	if err != nil {
		return nil, err
	}
	name, err := dtype.Str(ctx)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, "datetime64[") && strings.Contains(name, ",") {
		dates := o
		if o.ClassName() != "pandas.core.indexes.datetimes.DatetimeIndex" {
			if dates, err = netref.Get[*netref.Object](ctx, o, "dt"); err != nil {
				return nil, err
			}
		}
		if o, err = netref.Call[*netref.Object](ctx, dates, "tz_convert", nil); err != nil {
			return nil, err
		}
	}
	var how []any
	if whole := strings.ToLower(name); strings.HasPrefix(whole, "int") || strings.HasPrefix(whole, "uint") {
		missing, err := netref.Get[bool](ctx, o, "hasnans")
		if err != nil {
			return nil, err
		}
		if missing { // or pandas makes floats of integers, which cannot hold all of them
			how = []any{netref.Kw("dtype", "object")}
		}
	}
	values, err := netref.Call[*netref.Object](ctx, o, "to_numpy", how...)
	if err != nil {
		return nil, err
	}
	return Obtain[*pickle.Array](ctx, values)
}
