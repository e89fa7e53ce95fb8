# A walk through the generated Ruby client: typhoeus.
$stdout.sync = true
$LOAD_PATH.unshift File.join(__dir__, "wintunapi", "lib")
require "uri"
require "wintunapi"

# An ICMP echo request from 10.6.7.8 to the adapter's own address.
PACKET = ["4500001c00000000400158c70a0607080a0607070800f7fd00010001"].pack("H*")

WintunApi.configure do |settings|
  url = URI(ENV.fetch("API"))
  settings.host = "#{url.host}:#{url.port}"
  settings.server_index = nil
  settings.access_token = ENV.fetch("TOKEN")
end
adapters = WintunApi::AdaptersApi.new
sessions = WintunApi::SessionsApi.new
packets = WintunApi::PacketsApi.new

adapter = adapters.create_adapter(
  WintunApi::AdapterCreate.new(name: "OfficeNet", addresses: ["10.6.7.7/24"])
)
puts "created: #{adapter.name}, #{adapter.state}"

session = sessions.start_session(WintunApi::SessionCreate.new(adapter: adapter.guid))
puts "started: #{session.state == WintunApi::SessionState::RUNNING}"

report = packets.inject_packets(session.id, PACKET)
puts "accepted: #{report.accepted}"

last = sessions.end_session(session.id)
puts "ended: #{last.state}, #{last.counters.injected.bytes} bytes injected"

removal = adapters.delete_adapter(adapter.guid)
puts "deleted: reboot #{removal.reboot_required}"

begin
  adapters.get_adapter(adapter.guid)
rescue WintunApi::ApiError => e
  problem = WintunApi::Problem.build_from_hash(JSON.parse(e.response_body, symbolize_names: true))
  puts "refused: #{problem.status} #{problem.type}"
end
