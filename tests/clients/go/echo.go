package main

import "encoding/binary"

// echoReply returns the reply to an ICMP echo request, nil for any other packet.
func echoReply(packet []byte) []byte {
	if len(packet) < 28 || packet[0] != 0x45 || packet[9] != 1 || packet[20] != 8 {
		return nil
	}
	reply := append([]byte(nil), packet...)
	copy(reply[12:16], packet[16:20]) // source and destination change places
	copy(reply[16:20], packet[12:16])
	reply[20] = 0 // type 8 becomes 0, so the checksum grows by 0x0800
	checksum := uint32(binary.BigEndian.Uint16(packet[22:])) + 0x0800
	binary.BigEndian.PutUint16(reply[22:], uint16(checksum+checksum>>16))
	return reply
}
