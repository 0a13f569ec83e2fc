package report_test

import (
	"reflect"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/classify"
)

// filler makes results by reflection, so that no field is forgotten.
type filler struct {
	// text returns the value of a string field; path is "Findings.Title".
	text func(path string) string
	// length returns the number of elements of a slice or map.
	length func(path string) int
	// number returns the value of a numeric field, at least 0.
	number func(path string) int64
}

// result returns a filled result. What writers branch on has values that
// exist.
func (f filler) result() *classify.Result {
	r := &classify.Result{}
	f.fill(reflect.ValueOf(r).Elem(), "")
	return r
}

// choices are the values of fields that are no free text.
var choices = map[string][]string{
	"Level":   {"confirmed", "likely", "suspect", "note"},
	"Verdict": {"leak", "suspect", "incomplete", "undecided", "clean"},
	"Judged":  {"yes", "undecided", "no"},
	"Role":    {"culprit", "victim"},
}

func (f filler) fill(v reflect.Value, path string) {
	if _, ok := v.Interface().(time.Time); ok {
		v.Set(reflect.ValueOf(time.Unix(1_800_000_000+f.number(path)%(1<<32), 0).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i), strings.TrimPrefix(path+"."+v.Type().Field(i).Name, "."))
		}
	case reflect.Slice:
		n := f.length(path)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range v.Len() {
			f.fill(v.Index(i), path)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range f.length(path) {
			value := reflect.New(v.Type().Elem()).Elem()
			f.fill(value, path)
			v.SetMapIndex(reflect.ValueOf(f.text(path+".key")), value)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), path)
	case reflect.String:
		f.fillString(v, path)
	case reflect.Bool:
		v.SetBool(f.number(path)%2 == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(f.number(path))
	case reflect.Float64:
		v.SetFloat(float64(f.number(path)))
	default:
		panic("a kind of field that the filler does not know: " + path + " " + v.Kind().String())
	}
}

func (f filler) fillString(v reflect.Value, path string) {
	name := path[strings.LastIndex(path, ".")+1:]
	if values := choices[name]; values != nil {
		v.SetString(values[int(f.number(path))%len(values)])
		return
	}
	v.SetString(f.text(path))
}

// mapStrings replaces all strings in a value by what to returns for them.
func mapStrings(v reflect.Value, to func(string) string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				mapStrings(v.Field(i), to)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			mapStrings(v.Index(i), to)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(v.MapIndex(k))
			mapStrings(value, to)
			v.SetMapIndex(k, reflect.Value{})
			v.SetMapIndex(reflect.ValueOf(to(k.String())), value)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			mapStrings(v.Elem(), to)
		}
	case reflect.String:
		v.SetString(to(v.String()))
	}
}
