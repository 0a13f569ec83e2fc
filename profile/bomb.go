package profile

import "encoding/binary"

// maxUnpacked bounds what a profile takes in memory once it is parsed, in bytes.
// Half a million goroutines, no two with the same labels, stay below.
const maxUnpacked = 768 << 20

// smallProfile is the size in bytes below which no profile takes much memory, as
// nearly all are: those need no look.
const smallProfile = 1 << 20

// What the parts of a profile take in memory when github.com/google/pprof has parsed
// them, in bytes, measured; some have two bytes in the file, or one.
const (
	entryMemory   = 400 // a sample, location, function, mapping or string
	labelMemory   = 220
	lineMemory    = 112
	numberMemory  = 20 // the id of a location in a sample, or a value
	commentMemory = 56
)

// Numbers of fields in profile.proto (github.com/google/pprof/proto).
const (
	profileSample   = 2
	profileLocation = 4
	profileComment  = 13
	sampleLocation  = 1
	sampleValue     = 2
	sampleLabel     = 3
	locationLine    = 4
)

// unpackedSize is what a profile that is not compressed takes in memory once it is
// parsed, about. It stops at what is not protobuf.
func unpackedSize(data []byte) int {
	size := 0
	fields(data, func(number uint64, content []byte) {
		size += entryMemory
		switch number {
		case profileSample:
			fields(content, func(number uint64, content []byte) {
				switch number {
				case sampleLocation, sampleValue:
					size += numberMemory * packed(content)
				case sampleLabel:
					size += labelMemory
				}
			})
		case profileLocation:
			fields(content, func(number uint64, _ []byte) {
				if number == locationLine {
					size += lineMemory
				}
			})
		case profileComment:
			size += commentMemory * packed(content)
		}
	})
	return size
}

// packed is how many numbers a field holds: one, or those that are packed into it.
func packed(content []byte) int {
	n := 1
	for _, b := range content {
		if b < 0x80 { // the last byte of a number
			n++
		}
	}
	return n
}

// fields walks over the fields of a message, whose content is nil unless its length
// is written before it, and stops at what is not protobuf.
func fields(data []byte, field func(number uint64, content []byte)) {
	for len(data) > 0 {
		key, k := binary.Uvarint(data)
		if k <= 0 {
			return
		}
		data = data[k:]
		var size uint64
		var content []byte
		switch key & 7 { // the wire type
		case 1:
			size = 8
		case 5:
			size = 4
		default:
			value, v := binary.Uvarint(data)
			if v <= 0 {
				return
			}
			data = data[v:]
			if key&7 == 2 {
				size = value
			}
		}
		if size > uint64(len(data)) {
			return
		}
		if key&7 == 2 {
			content = data[:size]
		}
		data = data[size:]
		field(key>>3, content)
	}
}
