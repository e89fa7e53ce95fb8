import java.io.File;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.HexFormat;
import java.util.List;

import wintunapi.ApiClient;
import wintunapi.ApiException;
import wintunapi.api.AdaptersApi;
import wintunapi.api.PacketsApi;
import wintunapi.api.SessionsApi;
import wintunapi.model.AdapterCreate;
import wintunapi.model.Problem;
import wintunapi.model.SessionCreate;
import wintunapi.model.SessionState;

/** A walk through the generated Java client: Java's own HTTP client, and Jackson. */
public class Walk {
    // An ICMP echo request from 10.6.7.8 to the adapter's own address.
    static final byte[] PACKET =
        HexFormat.of().parseHex("4500001c00000000400158c70a0607080a0607070800f7fd00010001");
    static final String BEARER = "Bearer " + System.getenv("TOKEN");

    public static void main(String[] arguments) throws Exception {
        var client = new ApiClient();
        client.updateBaseUri(System.getenv("API"));
        client.setRequestInterceptor(request -> request.header("Authorization", BEARER));
        var adapters = new AdaptersApi(client);
        var sessions = new SessionsApi(client);

        var adapter = adapters.createAdapter(
            new AdapterCreate().name("OfficeNet").addresses(List.of("10.6.7.7/24")));
        System.out.println("created: " + adapter.getName() + ", " + adapter.getState());

        var session = sessions.startSession(new SessionCreate().adapter(adapter.getGuid()));
        System.out.println("started: " + (session.getState() == SessionState.RUNNING));

        // The generated call writes any body as JSON, so the packet itself is put in its place.
        client.setRequestInterceptor(request -> request
            .header("Authorization", BEARER)
            .method("POST", BodyPublishers.ofByteArray(PACKET)));
        var report = new PacketsApi(client).injectPackets(session.getId(), new File("packet"));
        System.out.println("accepted: " + report.getAccepted());

        var ended = sessions.endSession(session.getId());
        System.out.println("ended: " + ended.getState() + ", "
            + ended.getCounters().getInjected().getBytes() + " bytes injected");

        var removal = adapters.deleteAdapter(adapter.getGuid(), false);
        System.out.println("deleted: reboot " + removal.getRebootRequired());

        try {
            adapters.getAdapter(adapter.getGuid());
        } catch (ApiException refused) {
            var problem = client.getObjectMapper().readValue(refused.getResponseBody(), Problem.class);
            System.out.println("refused: " + problem.getStatus() + " " + problem.getType());
        }
    }
}
