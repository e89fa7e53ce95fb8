package main

import (
	"encoding/binary"
	"errors"
)

// The batch frame of v1.batch.wintun-api: many packets in one binary message, little-endian.
const (
	magic                                     = 0x31425457 // "WTB1"
	headerLength                              = 32
	originalLengths, sequenceDeltas, injected = 1, 2, 4
)

// Batch is one batch of packets; the two last columns are nil where they do not follow.
type Batch struct {
	Packets         [][]byte
	Sequence        uint64
	TimeNs          uint64
	Injected        bool
	OriginalLengths []uint16
	SequenceDeltas  []uint16
}

var little = binary.LittleEndian

func pack(batch Batch) []byte {
	var flags uint16
	if batch.OriginalLengths != nil {
		flags |= originalLengths
	}
	if batch.SequenceDeltas != nil {
		flags |= sequenceDeltas
	}
	if batch.Injected {
		flags |= injected
	}
	payload := 0
	columns := make([]uint16, 0, len(batch.Packets))
	for _, packet := range batch.Packets {
		payload += len(packet)
		columns = append(columns, uint16(len(packet)))
	}
	columns = append(append(columns, batch.OriginalLengths...), batch.SequenceDeltas...)

	message := little.AppendUint32(make([]byte, 0, headerLength+2*len(columns)+payload), magic)
	message = little.AppendUint16(message, headerLength)
	message = little.AppendUint16(message, flags)
	message = little.AppendUint32(message, uint32(len(batch.Packets)))
	message = little.AppendUint32(message, uint32(payload))
	message = little.AppendUint64(message, batch.Sequence)
	message = little.AppendUint64(message, batch.TimeNs)
	for _, value := range columns {
		message = little.AppendUint16(message, value)
	}
	for _, packet := range batch.Packets {
		message = append(message, packet...)
	}
	return message
}

// unpack returns the batches of one message; with an error no part of it counts.
func unpack(message []byte) ([]Batch, error) {
	if len(message) == 0 {
		return nil, errors.New("empty")
	}
	var batches []Batch
	for offset := 0; offset < len(message); {
		if len(message)-offset < headerLength {
			return nil, errors.New("truncated_header")
		}
		head := message[offset:]
		header, flags := int(little.Uint16(head[4:])), little.Uint16(head[6:])
		count, payload := int(little.Uint32(head[8:])), int(little.Uint32(head[12:]))
		switch {
		case little.Uint32(head) != magic:
			return nil, errors.New("bad_magic")
		case header < headerLength:
			return nil, errors.New("bad_header_length")
		case flags&^(originalLengths|sequenceDeltas|injected) != 0:
			return nil, errors.New("unknown_flags")
		}
		columns := 1 + int(flags&originalLengths) + int(flags&sequenceDeltas)/2
		body := header + 2*count*columns
		if body+payload > len(head) {
			return nil, errors.New("truncated")
		}
		column := func(number int) []uint16 {
			values := make([]uint16, count)
			for index := range values {
				values[index] = little.Uint16(head[header+2*(number*count+index):])
			}
			return values
		}
		batch := Batch{Sequence: little.Uint64(head[16:]), TimeNs: little.Uint64(head[24:]), Injected: flags&injected != 0}
		start := body
		for _, length := range column(0) {
			if start+int(length) > body+payload {
				return nil, errors.New("bad_lengths")
			}
			batch.Packets = append(batch.Packets, head[start:start+int(length)])
			start += int(length)
		}
		if start != body+payload {
			return nil, errors.New("bad_lengths")
		}
		if flags&originalLengths != 0 {
			batch.OriginalLengths = column(1)
		}
		if flags&sequenceDeltas != 0 {
			batch.SequenceDeltas = column(columns - 1)
		}
		batches = append(batches, batch)
		offset += body + payload
	}
	return batches, nil
}
