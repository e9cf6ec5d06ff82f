import Testing
import WeirAnalysis
import WeirEngine
import WeirWire

@Suite("The ranges that a relay knows")
struct OwnPortRangesTests {
    private func series(_ client: String, _ side: PortSide, to server: String = "192.0.2.9") throws -> PortSeries {
        let client = try #require(IPAddress(client))
        var series = PortSeries(PortSeriesKey(client: client, transport: .tcp, side: side))
        series.add(40_000, to: Endpoint(address: try #require(IPAddress(server)), port: 80), at: nil)
        return series
    }

    @Test("The relay's own ports come from the host's range, or from the one that was asked for")
    func egress() throws {
        let host = PortRange(32_768, 60_999)
        let own = try series("192.0.2.1", .egress)
        #expect(OwnPortRanges(host: host).known(for: own)?.range == host)
        #expect(OwnPortRanges(host: nil).known(for: own) == nil)
        #expect(OwnPortRanges(host: host, egressPort: .same).known(for: own) == nil)
        let asked = OwnPortRanges(host: host, egressPort: .range(PortRange(40_000, 40_999))).known(for: own)
        #expect(asked?.range == PortRange(40_000, 40_999) && asked?.name == "--egress-port")
    }

    @Test("A client's come from it if the client is on this host, and from nobody knows where otherwise")
    func clients() throws {
        let ranges = OwnPortRanges(host: PortRange(32_768, 60_999), egressPort: .same)
        #expect(try ranges.known(for: series("127.0.0.1", .client)) != nil)
        #expect(try ranges.known(for: series("::1", .client)) != nil)
        #expect(try ranges.known(for: series("192.0.2.1", .client, to: "192.0.2.1")) != nil)
        #expect(try ranges.known(for: series("192.0.2.1", .client)) == nil)
    }

    @Test("A report says which range is in force, and what has set it, of few samples too")
    func report() throws {
        var output = ByteBuffer()
        let known = PortRange.Known(range: PortRange(40_000, 40_999), name: "--range")
        PortsText().append(PortAnalysis.report(try series("127.0.0.1", .direct), known: known), to: &output)
        #expect(output.string.contains("  range    40000-40999, in force (--range); seen 40000-40000\n"))
    }
}
