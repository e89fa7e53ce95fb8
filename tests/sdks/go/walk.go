// A walk through the generated Go client: its only packages are Go's own.
package main

import (
	"context"
	"fmt"
	"os"

	api "walk/wintunapi"
)

// An ICMP echo request from 10.6.7.8 to the adapter's own address.
var packet = []byte("\x45\x00\x00\x1c\x00\x00\x00\x00\x40\x01\x58\xc7\x0a\x06\x07\x08\x0a\x06\x07\x07" +
	"\x08\x00\xf7\xfd\x00\x01\x00\x01")

func main() {
	settings := api.NewConfiguration()
	settings.Servers = api.ServerConfigurations{{URL: os.Getenv("API")}}
	client := api.NewAPIClient(settings)
	ctx := context.WithValue(context.Background(), api.ContextAccessToken, os.Getenv("TOKEN"))

	wanted := api.NewAdapterCreate("OfficeNet")
	wanted.SetAddresses([]string{"10.6.7.7/24"})
	adapter, _, err := client.AdaptersAPI.CreateAdapter(ctx).AdapterCreate(*wanted).Execute()
	must(err)
	fmt.Printf("created: %s, %s\n", adapter.Name, adapter.State)

	session, _, err := client.SessionsAPI.StartSession(ctx).SessionCreate(*api.NewSessionCreate(adapter.Guid)).Execute()
	must(err)
	fmt.Printf("started: %t\n", session.State == api.SESSIONSTATE_RUNNING)

	report, _, err := client.PacketsAPI.InjectPackets(ctx, session.Id).Body(packet).Execute()
	must(err)
	fmt.Printf("accepted: %d\n", report.Accepted)

	session, _, err = client.SessionsAPI.EndSession(ctx, session.Id).Execute()
	must(err)
	fmt.Printf("ended: %s, %d bytes injected\n", session.State, session.Counters.Injected.Bytes)

	removal, _, err := client.AdaptersAPI.DeleteAdapter(ctx, adapter.Guid).Execute()
	must(err)
	fmt.Printf("deleted: reboot %t\n", removal.RebootRequired)

	_, _, err = client.AdaptersAPI.GetAdapter(ctx, adapter.Guid).Execute()
	problem := err.(*api.GenericOpenAPIError).Model().(api.Problem)
	fmt.Printf("refused: %d %s\n", problem.Status, problem.Type)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
