import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("Capture sink")
struct CaptureSinkTests {
    @Test("Begins with what the file is, an interface for each leg, and ends with what they counted")
    func frame() throws {
        var dialogue = CaptureDialogue {
            $0.application = "weir 1.2.3"
            $0.operatingSystem = "Linux 6"
        }
        dialogue.advance(.seconds(1))
        dialogue.open()
        dialogue.chunk(.upstream, "abc")
        dialogue.sink.renderLossOnly(chunks: 5)
        dialogue.advance(.seconds(1))
        dialogue.close(.shutdown)
        dialogue.finish()
        let capture = try dialogue.capture
        #expect(capture.error == nil)
        let section = try #require(capture.sections.first)
        #expect(section.application == "weir 1.2.3 (synthesised packets)" && section.operatingSystem == "Linux 6")
        #expect(section.comments.count == 1 && section.comments[0].contains("synthesised"))
        #expect(capture.interfaces.map(\.name) == ["weir:client", "weir:server"])
        #expect(Set(capture.interfaces.map(\.linkType)) == [.ethernet])
        #expect(Set(capture.interfaces.map(\.snapLength)) == [262_144])
        #expect(capture.interfaces.allSatisfy { $0.resolution == .nanoseconds })
        #expect(capture.statistics.map(\.interface) == [0, 1])
        #expect(capture.statistics.map(\.delivered) == [6, 6] && capture.statistics.map(\.received) == [11, 11])
        #expect(capture.statistics.allSatisfy { $0.droppedByInterface == 5 })
        let start = ManualClock.start.wallNanoseconds
        #expect(capture.statistics.allSatisfy { $0.start == start && $0.end == capture.packets.last?.time })
    }

    @Test("Each file's statistics count what was left out of it, and nothing of the files before it")
    func lossOfEachFile() throws {
        var dialogue = CaptureDialogue()
        dialogue.open()
        for (number, lost) in [5, 0, 2, 0].enumerated() {
            if number > 0 { dialogue.begin() }
            if lost > 0 { dialogue.sink.renderLossOnly(chunks: UInt64(lost)) }
            for _ in 0...number { dialogue.chunk(.upstream, "abc") }
            dialogue.finish()
            let statistics = try dialogue.capture.statistics
            // A chunk is a packet and its acknowledgement; the first file has the handshakes, too.
            let packets = UInt64(2 * (number + 1) + (number == 0 ? 3 : 0))
            #expect(statistics.map(\.droppedByInterface) == [UInt64(lost), UInt64(lost)], "file \(number)")
            #expect(statistics.map(\.delivered) == [packets, packets], "file \(number)")
            #expect(statistics.map(\.received) == [packets + UInt64(lost), packets + UInt64(lost)], "file \(number)")
        }
    }

    @Test("Writes the legs that were asked for, and no other", arguments: CaptureSettings.Legs.allCases)
    func legs(_ legs: CaptureSettings.Legs) throws {
        var dialogue = CaptureDialogue { $0.legs = legs }
        dialogue.open()
        dialogue.chunk(.upstream, "abc")
        dialogue.chunk(.downstream, "abc")
        dialogue.tell(.ended(.upstream))
        dialogue.tell(.ended(.downstream))
        dialogue.close(.finished)
        let capture = try dialogue.capture
        let names = legs == .both ? ["client", "server"] : [legs.rawValue]
        #expect(capture.interfaces.map(\.name) == names.map { "weir:\($0)" })
        #expect(Set(capture.packets.map(\.leg)) == Set(names))
        #expect(capture.packets.count == 11 * names.count)
        #expect(capture.packets.allSatisfy { $0.hasValidChecksums })
    }

    @Test("Writes the very same packets as pcap, with nanoseconds")
    func pcap() throws {
        func talk(_ format: CaptureSettings.Format) throws -> SeenCapture {
            var dialogue = CaptureDialogue { $0.format = format }
            dialogue.open()
            dialogue.chunk(.upstream, "abc")
            dialogue.close(.clientReset)
            dialogue.finish()
            return try dialogue.capture
        }
        let (pcapng, pcap) = (try talk(.pcapng), try talk(.pcap))
        #expect(pcap.packets.map(\.bytes) == pcapng.packets.map(\.bytes))
        #expect(pcap.packets.map(\.time) == pcapng.packets.map(\.time))
        guard case .pcapHeader(let header)? = pcap.blocks.first else { throw HelperError("no header") }
        #expect(header.isNanoseconds && header.linkType == .ethernet && header.snapLength == 262_144)
        #expect(pcap.blocks.count == 1 && pcap.error == nil)
    }

    @Test("Introduces a flow with the first packet of each leg, in every file")
    func introduction() throws {
        let text = "flow 7 client 127.0.0.1:51514 listener 127.0.0.1:9000 egress 127.0.0.1:42332 server 127.0.0.1:65432"
        var dialogue = CaptureDialogue()
        dialogue.open()
        dialogue.chunk(.upstream, "abc")
        let comments = try dialogue.capture.packets.map(\.comments)
        #expect(comments == [[text], [], [], [text]] + Array(repeating: [], count: 6))
        dialogue.begin()
        dialogue.chunk(.upstream, "abc")
        let capture = try dialogue.capture
        #expect(capture.packets.map(\.comments) == [[text], [], [text], []])
        #expect(capture.interfaces.count == 2 && capture.sections.count == 1)
        #expect(capture.lines[0].hasPrefix("client up PSH,ACK"))
    }

    @Test("Clamps times so that none is earlier than the one before, across flows and files")
    func times() throws {
        var dialogue = CaptureDialogue()
        dialogue.open()
        dialogue.advance(.milliseconds(10))
        dialogue.chunk(.upstream, Array("abc".utf8), receivedAgo: .milliseconds(4))
        dialogue.chunk(.upstream, Array("abc".utf8), receivedAgo: .seconds(60))
        let capture = try dialogue.capture
        let times = capture.packets.map { $0.time - ManualClock.start.wallNanoseconds }
        #expect(times[..<6] == [0, 1, 2, 3, 4, 5])
        #expect(
            times[6...] == [
                6_000_000, 6_000_001, 10_000_000, 10_000_001, 10_000_002, 10_000_003, 10_000_004, 10_000_005,
            ]
        )
        dialogue.begin()
        dialogue.chunk(.upstream, "abc")
        #expect(try dialogue.capture.packets[0].time == ManualClock.start.wallNanoseconds + 10_000_006)
    }

    @Test("Tells the names of a server's address before its first packet, and again in every file")
    func names() throws {
        var dialogue = CaptureDialogue {
            $0.names = { $0 == .loopbackV4 ? ["localhost", "echo.example"] : [] }
        }
        let record = CaptureNames.Record.address(.loopbackV4, names: ["localhost", "echo.example"])
        dialogue.open()
        dialogue.chunk(.upstream, "abc")
        var capture = try dialogue.capture
        #expect(capture.names.map(\.records) == [[record]])
        let place = try #require(capture.blocks.firstIndex { if case .names = $0 { true } else { false } })
        #expect(capture.places[place] == 0)
        dialogue.begin()
        capture = try dialogue.capture
        #expect(capture.names.map(\.records) == [[record]])
    }

    @Test("Gives hardware addresses of zeros on the loopback, and local ones made from the address elsewhere")
    func hardware() throws {
        let path = FlowPath(
            client: Endpoint(address: IPAddress(v4: 0x0a00_0102), port: 1000),
            listener: Endpoint(address: IPAddress(v4: 0x0a00_0103), port: 2000),
            egress: Playbook.path.egress,
            server: Playbook.path.server
        )
        var dialogue = CaptureDialogue(.udp, path: path)
        dialogue.open()
        dialogue.chunk(.upstream, "abc")
        let packets = try dialogue.capture.packets
        #expect(packets[0].ethernet.source.description == "02:00:0a:00:01:02")
        #expect(packets[0].ethernet.destination.description == "02:00:0a:00:01:03")
        #expect(packets[1].ethernet.source == .zero && packets[1].ethernet.destination == .zero)
        let neighbours = try ["2001:db8::1", "2001:db8::2", "2001:db9::1"].map { text in
            let address = try #require(IPAddress(text))
            let far = Endpoint(address: address, port: 1000)
            var dialogue = CaptureDialogue(.udp, path: FlowPath(client: far, listener: far))
            dialogue.chunk(.upstream, "abc")
            return try #require(dialogue.capture.packets.first).ethernet.source
        }
        #expect(Set(neighbours).count == 3 && neighbours.allSatisfy { $0.isLocal && !$0.isGroup })
    }

    @Test("Writes the same file for the same seed, and other first numbers for another one")
    func seed() throws {
        func file(_ seed: UInt64) -> [UInt8] {
            var dialogue = CaptureDialogue { $0.seed = seed }
            dialogue.open()
            return dialogue.file
        }
        #expect(file(5) == file(5) && file(5) != file(6))
    }

    @Test("Forgets a flow at its end, and takes its number for a new flow's after that")
    func forgets() throws {
        var dialogue = CaptureDialogue()
        for _ in 0..<2 {
            dialogue.open()
            dialogue.close(.shutdown)
        }
        #expect(try dialogue.lines.count == 16)
    }

    @Test("Wants bytes, and looks for no echoes")
    func interest() {
        let sink = CaptureSink(CaptureSettings(seed: 1))
        #expect(sink.interest == .bytes && !sink.showsEchoes)
        #expect(TerminalSink().showsEchoes && JSONLinesSink(withBytes: false).showsEchoes && !SummarySink().showsEchoes)
    }
}

extension CaptureSink {
    /// Tells that chunks were left out.
    fileprivate mutating func renderLossOnly(chunks: UInt64) {
        var output = ByteBuffer()
        renderLoss(chunks: chunks, bytes: 1, into: &output)
        let isEmpty = output.isEmpty
        #expect(isEmpty)
    }
}
