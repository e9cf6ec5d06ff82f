import Support
import Testing
import WeirWire

@Suite("pcapng writer")
struct PcapngWriterTests {
    @Test("Writes a section, an interface and a packet as the draft lays them out, in both byte orders")
    func layout() {
        let packet = PacketMetadata(
            timestamp: 0x0123_4567_89ab_cdef,
            originalLength: 9,
            options: PacketOptions(flags: .inbound, packetID: 7)
        )
        for order in ByteOrder.allCases {
            var writer = PcapngWriter()
            let bytes = written {
                writer.append(CaptureSection(byteOrder: order, application: "weir"), to: &$0)
                writer.append(CaptureInterface(linkType: .ethernet, snapLength: 0x40000), to: &$0)
                writer.append(packet, ([1, 2, 3, 4, 5] as [UInt8]).span.bytes, to: &$0)
            }
            var expected = Expected(order)
            expected.words(0x0a0d_0d0a, 40, 0x1a2b_3c4d)
            expected.halves(1, 0)
            expected.words(.max, .max)
            expected.halves(4, 4)
            expected.bytes += Array("weir".utf8) + [0, 0, 0, 0]
            expected.words(40)
            expected.words(1, 32)
            expected.halves(1, 0)
            expected.words(0x40000)
            expected.halves(9, 1)
            expected.bytes += [9, 0, 0, 0, 0, 0, 0, 0]
            expected.words(32)
            expected.words(6, 64, 0, 0x0123_4567, 0x89ab_cdef, 5, 9)
            expected.bytes += [1, 2, 3, 4, 5, 0, 0, 0]
            expected.halves(2, 4)
            expected.words(1)
            expected.halves(5, 8)
            expected.double(7)
            expected.words(0, 64)
            #expect(bytes == expected.bytes, "\(order)")
        }
    }

    @Test("Writes the same packet in one piece, in two, and in place")
    func pieces() {
        let bytes = (0..<100).map { UInt8($0) }
        let packet = PacketMetadata(timestamp: 5, options: PacketOptions(comments: ["one"]))
        for cut in [0, 1, 54, 99, 100] {
            for size in [cut, 100] {
                let whole = behindHeader { $0.append(packet, bytes.span.extracting(first: size).bytes, to: &$1) }
                let two = behindHeader {
                    let (head, tail) = (Array(bytes[..<cut]), Array(bytes[cut..<size]))
                    $0.append(packet, head.span.bytes, tail.span.bytes, to: &$1)
                }
                let placed = behindHeader { writer, buffer in
                    writer.append(packet, upTo: 70_000, to: &buffer) { room in
                        #expect(room.count == 70_000)
                        room.copyBytes(from: bytes[..<size])
                        return size
                    }
                }
                #expect(whole == two)
                #expect(whole == placed)
                #expect(whole.count % 4 == 0)
            }
        }
    }

    struct Refusal: Error, Equatable {}

    @Test("Appends nothing when the closure that writes a packet throws")
    func throwing() {
        let before = behindHeader { _, _ in }
        let after = behindHeader { writer, buffer in
            #expect(throws: Refusal()) {
                try writer.append(PacketMetadata(timestamp: 0), upTo: 10, to: &buffer) { _ throws(Refusal) in
                    throw Refusal()
                }
            }
        }
        #expect(before == after)
    }

    @Test("Allocates nothing for a packet when the buffer has room")
    func room() {
        var writer = PcapngWriter()
        var buffer = ByteBuffer(capacity: 4096)
        header(&writer, &buffer)
        let capacity = buffer.capacity
        let options = PacketOptions(
            flags: .outbound,
            packetID: 1,
            dropCount: 2,
            queue: 3,
            process: PacketProcess(process: 4, thread: 5)
        )
        let packet = [UInt8](repeating: 1, count: 4096 - buffer.count - 28 - 56 - 8)
        writer.append(PacketMetadata(timestamp: 0, options: options), packet.span.bytes, to: &buffer)
        #expect(buffer.capacity == capacity)
    }

    @Test("Cuts a text that an option does not hold at a whole character, and at a zero octet")
    func longTexts() throws {
        var writer = PcapngWriter()
        let long = String(repeating: "é", count: 40_000)
        let bytes = written {
            writer.append(CaptureSection(byteOrder: .big, application: "we\0ir", comments: [long]), to: &$0)
        }
        // The two texts: 2 bytes, and 65,534 of 80,000.
        #expect(Array(bytes[24..<32]) == [0, 4, 0, 2] + Array("we".utf8) + [0, 0])
        #expect(Array(bytes[32..<36]) == [0, 1, 0xff, 0xfe])
        #expect(bytes.count == 32 + 4 + 65_536 + 4 + 4)
    }

    @Test("A section begins without interfaces, and gives numbers from 0 again")
    func numbers() {
        var writer = PcapngWriter()
        var buffer = ByteBuffer()
        for _ in 0..<2 {
            writer.append(CaptureSection(), to: &buffer)
            #expect(writer.interfaceCount == 0)
            for number in 0..<3 as Range<UInt32> {
                #expect(writer.append(CaptureInterface(linkType: .raw), to: &buffer) == number)
            }
            #expect(writer.interfaceCount == 3)
        }
    }

    private func header(_ writer: inout PcapngWriter, _ buffer: inout ByteBuffer) {
        writer.append(CaptureSection(byteOrder: .little), to: &buffer)
        writer.append(CaptureInterface(linkType: .ethernet), to: &buffer)
    }

    /// Gives what a closure writes behind a header.
    private func behindHeader(_ body: (inout PcapngWriter, inout ByteBuffer) -> Void) -> [UInt8] {
        var writer = PcapngWriter()
        return written {
            header(&writer, &$0)
            body(&writer, &$0)
        }
    }
}

@Suite("What Wireshark's tools read of the capture writers")
struct CaptureWriterPeerTests {
    @Test(
        "tshark reads every block and option as they were meant",
        .needsProgram("tshark"),
        arguments: ByteOrder.allCases
    )
    func tshark(order: ByteOrder) throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("all.pcapng", capture(order))
        let fields = [
            "frame.time_epoch", "frame.len", "frame.cap_len", "frame.interface_name", "frame.packet_flags_direction",
            "frame.packet_id", "frame.comment", "frame.interface_description",
        ]
        let arguments = ["-r", path, "-o", "nameres.network_name:TRUE", "-T", "fields", "-E", "separator=/s"]
        let result = try ChildProgram.run("tshark", arguments + fields.flatMap { ["-e", $0] })
        let lines = result.output.split(separator: "\n").filter { !$0.hasPrefix("Running as") }
        #expect(
            lines == [
                "1700000000.123456789 100 60 weir:client 0x00000001 42 flow 7 client leg",
                "1700000000.123456790 60 60 weir:server 0x00000002 42  server leg",
            ]
        )
        let names = try ChildProgram.run("tshark", ["-r", path, "-q", "-z", "hosts"]).output
        #expect(names.contains("10.0.0.5\tserver.example"))
        let information = try ChildProgram.run("capinfos", [path]).output
        for text in ["Capture application: weir 1", "Capture oper-sys:    Linux", "Capture comment:     synthesised"] {
            #expect(information.contains(text), "\(text)\n\(information)")
        }
        #expect(
            information.contains("Number of stat entries = 1")
        )
    }

    /// Makes a capture with a block of each kind that is written.
    private func capture(_ order: ByteOrder) -> [UInt8] {
        var writer = PcapngWriter()
        return written {
            let section = CaptureSection(
                byteOrder: order,
                hardware: "AMD",
                operatingSystem: "Linux",
                application: "weir 1",
                comments: ["synthesised"]
            )
            writer.append(section, to: &$0)
            for (name, description) in [("weir:client", "client leg"), ("weir:server", "server leg")] {
                var interface = CaptureInterface(linkType: .ethernet, name: name, description: description)
                interface.setFilter("tcp port 80")
                interface.addresses = [.v4(0x7f00_0001, mask: 0xff00_0000), .v6(high: 0, low: 1, prefix: 128)]
                writer.append(interface, to: &$0)
            }
            let address = IPAddress(v4: 0x0a00_0005)
            writer.append(CaptureNames(records: [.address(address, names: ["server.example"])]), to: &$0)
            writer.append(CaptureSecrets(format: .tls, bytes: Array("CLIENT_RANDOM 00 11\n".utf8)), to: &$0)
            let bytes = [UInt8](repeating: 0, count: 60)
            var packet = PacketMetadata(timestamp: 1_700_000_000_123_456_789, originalLength: 100)
            packet.options = PacketOptions(flags: .inbound, packetID: 42, comments: ["flow 7"])
            writer.append(packet, bytes.span.bytes, to: &$0)
            packet = PacketMetadata(timestamp: 1_700_000_000_123_456_790, interface: 1)
            packet.options = PacketOptions(flags: .outbound, packetID: 42)
            writer.append(packet, bytes.span.bytes, to: &$0)
            var statistics = CaptureStatistics(interface: 1, timestamp: 1_700_000_001_000_000_000)
            statistics.received = 2
            statistics.droppedBySystem = 3
            writer.append(statistics, to: &$0)
        }
    }
}
