// Answer pings to any address behind an adapter: tunnel SESSION raw|batch.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/gorilla/websocket"
)

func main() {
	session, protocol := os.Args[1], os.Args[2]
	url := strings.Replace(os.Getenv("API"), "http", "ws", 1) + "/v1/sessions/" + session + "/packets"
	dialer := websocket.Dialer{Subprotocols: []string{"v1." + protocol + ".wintun-api"}}
	socket, _, err := dialer.Dial(url, http.Header{"Authorization": {"Bearer " + os.Getenv("TOKEN")}})
	if err != nil {
		log.Fatal(err)
	}
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			log.Fatal(err)
		}
		if kind != websocket.BinaryMessage { // v1.batch also says hello, lost, ack and ended, as JSON
			continue
		}
		reply := echoReply(message)
		if protocol == "batch" {
			reply = answer(message)
		}
		if reply == nil {
			continue
		}
		if err := socket.WriteMessage(websocket.BinaryMessage, reply); err != nil {
			log.Fatal(err)
		}
	}
}

// answer returns the replies to the batches of a message, as one batch.
func answer(message []byte) []byte {
	batches, err := unpack(message)
	if err != nil {
		log.Fatal(err)
	}
	var replies [][]byte
	for _, batch := range batches {
		for _, packet := range batch.Packets {
			if reply := echoReply(packet); reply != nil {
				replies = append(replies, reply)
			}
		}
	}
	if replies == nil {
		return nil
	}
	return pack(Batch{Packets: replies})
}
