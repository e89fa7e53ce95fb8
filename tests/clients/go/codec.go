// Messages as hexadecimal lines, answered with what they hold: how the vectors are checked.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		message, _ := hex.DecodeString(lines.Text())
		batches, err := unpack(message)
		if err != nil {
			fmt.Println(err)
			continue
		}
		var told []string
		for _, batch := range batches {
			told = append(told, tell(batch))
		}
		fmt.Println(strings.Join(told, "|"))
	}
}

func tell(batch Batch) string {
	var packets []string
	for _, packet := range batch.Packets {
		packets = append(packets, hex.EncodeToString(packet))
	}
	injected := 0
	if batch.Injected {
		injected = 1
	}
	return fmt.Sprintf("%d %d %d %s %s %s %x", batch.Sequence, batch.TimeNs, injected,
		list(batch.OriginalLengths), list(batch.SequenceDeltas), strings.Join(packets, ","), pack(batch))
}

func list(values []uint16) string {
	if values == nil {
		return "-"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ","), "[]")
}
