import Testing

@testable import WeirWire

@Suite("Codes of captures")
struct CaptureCodesTests {
    private static let address6: [UInt8] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    private static let address = IPAddress(v6: 0x2001_0db8_0000_0000, low: 1)

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func section(_ order: ByteOrder) -> ([UInt8], WholeItem) {
        let bytes = Expected.block(0x0a0d_0d0a, order) {
            $0.words(0x1a2b_3c4d)
            $0.halves(1, 0)
            $0.words(.max, .max)
            $0.option(2, text("AMD"))
            $0.option(3, text("Linux"))
            $0.option(4, text("weir"))
            $0.option(1, text("made"))
            $0.words(0)
        }
        let section = CaptureSection(
            byteOrder: order,
            hardware: "AMD",
            operatingSystem: "Linux",
            application: "weir",
            comments: ["made"]
        )
        return (bytes, .block(.section(section)))
    }

    private static func interface(_ order: ByteOrder) -> ([UInt8], WholeItem) {
        let bytes = Expected.block(1, order) {
            $0.halves(1, 0)
            $0.words(0x40000)
            $0.option(2, text("eth0"))
            $0.option(3, text("first"))
            $0.option(4, [10, 0, 0, 1, 255, 255, 255, 0])
            $0.option(5, address6 + [64])
            $0.halves(8, 8)
            $0.double(1_000_000_000)
            $0.option(9, [9])
            $0.option(11, [0] + text("tcp"))
            $0.option(12, text("6.1"))
            $0.option(13, [4])
            $0.halves(14, 8)
            $0.double(5)
            $0.option(15, text("e1000"))
            $0.option(1, text("described"))
            $0.words(0)
        }
        var interface = CaptureInterface(
            linkType: .ethernet,
            snapLength: 0x40000,
            name: "eth0",
            description: "first"
        )
        interface.addresses = [
            .v4(0x0a00_0001, mask: 0xffff_ff00), .v6(high: 0x2001_0db8_0000_0000, low: 1, prefix: 64),
        ]
        interface.speed = 1_000_000_000
        interface.setFilter("tcp")
        interface.operatingSystem = "6.1"
        interface.frameCheckLength = 4
        interface.offsetSeconds = 5
        interface.hardware = "e1000"
        interface.comments = ["described"]
        return (bytes, .block(.interface(interface)))
    }

    private static func packet(_ order: ByteOrder) -> ([UInt8], WholeItem) {
        let bytes = Expected.block(6, order) {
            $0.words(0, 0, 7, 3, 9)
            $0.bytes += [1, 2, 3, 0]
            $0.halves(2, 4)
            $0.words(0x201)
            $0.halves(4, 8)
            $0.double(11)
            $0.halves(5, 8)
            $0.double(12)
            $0.halves(6, 4)
            $0.words(13)
            $0.halves(8, 8)
            $0.words(14, 15)
            $0.option(1, text("one"))
            $0.words(0)
        }
        let options = PacketOptions(
            flags: [.inbound, .checksumNotReady],
            packetID: 12,
            dropCount: 11,
            queue: 13,
            process: PacketProcess(process: 14, thread: 15),
            comments: ["one"]
        )
        let metadata = PacketMetadata(timestamp: 5_000_000_007, originalLength: 9, options: options)
        return (bytes, .packet(metadata, .ethernet, [1, 2, 3]))
    }

    private static func names(_ order: ByteOrder) -> ([UInt8], WholeItem) {
        let bytes = Expected.block(4, order) {
            $0.option(1, [10, 0, 0, 5] + text("a") + [0])
            $0.option(2, address6 + text("b") + [0])
            $0.words(0)
            $0.option(2, text("dns"))
            $0.option(3, [10, 0, 0, 9])
            $0.option(4, address6)
            $0.option(1, text("named"))
            $0.words(0)
        }
        let names = CaptureNames(
            records: [.address(IPAddress(v4: 0x0a00_0005), names: ["a"]), .address(address, names: ["b"])],
            server: "dns",
            serverAddresses: [IPAddress(v4: 0x0a00_0009), address],
            comments: ["named"]
        )
        return (bytes, .block(.names(names)))
    }

    private static func statistics(_ order: ByteOrder) -> ([UInt8], WholeItem) {
        let bytes = Expected.block(5, order) {
            $0.words(0, 0, 8)
            $0.halves(2, 8)
            $0.words(0, 1)
            $0.halves(3, 8)
            $0.words(0, 2)
            for code in UInt16(4)...8 {
                $0.halves(code, 8)
                $0.double(UInt64(code) * 11)
            }
            $0.option(1, text("counted"))
            $0.words(0)
        }
        var statistics = CaptureStatistics(interface: 0, timestamp: 5_000_000_008)
        (statistics.start, statistics.end) = (5_000_000_001, 5_000_000_002)
        (statistics.received, statistics.droppedByInterface, statistics.accepted) = (44, 55, 66)
        (statistics.droppedBySystem, statistics.delivered) = (77, 88)
        statistics.comments = ["counted"]
        return (bytes, .block(.statistics(statistics)))
    }

    private static func others(_ order: ByteOrder) -> [([UInt8], WholeItem)] {
        let secrets = Expected.block(10, order) {
            $0.words(0x544c_534b, 3)
            $0.bytes += [1, 2, 3, 0]
            $0.option(1, text("secret"))
            $0.words(0)
        }
        let custom = [0xbad, 0x4000_0bad].map { type in
            Expected.block(type, order) {
                $0.words(77)
                $0.bytes += [1, 2, 3, 4]
            }
        }
        return [
            (secrets, .block(.secrets(CaptureSecrets(format: .tls, bytes: [1, 2, 3], comments: ["secret"])))),
            (custom[0], .block(.custom(CustomBlock(isCopyable: true, enterprise: 77, bytes: [1, 2, 3, 4])))),
            (custom[1], .block(.custom(CustomBlock(isCopyable: false, enterprise: 77, bytes: [1, 2, 3, 4])))),
        ]
    }

    @Test(
        "Blocks and options have those of the draft, when they are read and when they are written",
        arguments: ByteOrder.allCases
    )
    func codes(order: ByteOrder) {
        let blocks =
            [Self.section(order), Self.interface(order), Self.packet(order), Self.names(order), Self.statistics(order)]
            + Self.others(order)
        let file = blocks.flatMap(\.0)
        let read = Reading.items(file)
        #expect(read.error == nil)
        for (item, block) in zip(read.items, blocks) { #expect(item == block.1) }
        #expect(read.items.count == blocks.count)
        var writer = PcapngWriter()
        for block in blocks {
            let bytes = written { buffer in
                switch block.1 {
                case .packet(let metadata, _, let bytes): writer.append(metadata, bytes.span.bytes, to: &buffer)
                case .block(let block): writer.append(block, to: &buffer)
                }
            }
            #expect(bytes == block.0)
        }
    }

    @Test("Formats of secrets are the letters of their names")
    func secrets() {
        let formats: [CaptureSecrets.Format] = [.tls, .ssh, .wireGuard]
        #expect(formats.map(\.rawValue) == [0x544c_534b, 0x5353_484b, 0x5747_4b4c])
    }
}

@Suite("Bounds of captures")
struct CaptureBoundsTests {
    /// Reads the beginning of a block behind a section with an interface.
    private func begin(_ type: UInt32, _ length: UInt32) -> (needed: Int, skipped: Int, error: CaptureFileError?) {
        var block = Expected(.little)
        block.words(type, length, 0, 0, 0, 0, 0)
        let file = Expected.section() + Expected.interface() + block.bytes
        var reader = CaptureReader()
        do throws(CaptureFileError) {
            while try reader.next(in: file.span.bytes) != nil {}
            return (reader.needed, reader.skippedBlocks, nil)
        } catch {
            return (0, reader.skippedBlocks, error)
        }
    }

    @Test("Blocks of 16 MiB are waited for, longer ones are damage, or left out if nothing need be known of them")
    func blocks() {
        let most: UInt32 = 16 << 20
        for type in [1, 4, 5, 10] as [UInt32] {
            let (whole, over) = (begin(type, most), begin(type, most + 4))
            #expect(whole.needed == Int(most) && whole.error == nil)
            #expect(over.error == .malformed(.blockLength(most + 4), at: 48))
        }
        for type in [0xbad, 0x4000_0bad] as [UInt32] {
            let (whole, over) = (begin(type, most), begin(type, most + 4))
            #expect(whole.needed == Int(most) && whole.skipped == 0)
            #expect(over.error == nil && over.skipped == 1 && over.needed == 4)
        }
        let unknown = begin(99, most)
        #expect(unknown.error == nil && unknown.skipped == 1)
    }

    @Test("A packet has options of 16 MiB at the most")
    func options() {
        let most: UInt32 = 32 + 16 << 20
        #expect(begin(6, most).needed == Int(most))
        #expect(begin(6, most + 4).error == .malformed(.blockLength(most + 4), at: 48))
        #expect(PcapngWriter.largestPacket == 134_217_728)
    }

    @Test("Statistics of an interface that is not described are left out and counted")
    func statistics() throws {
        let unknown = Expected.block(5) { $0.words(1, 0, 0) }
        let file = Expected.section() + Expected.interface() + unknown + Expected.packet()
        var reader = CaptureReader()
        var items = 0
        while try reader.next(in: file.span.bytes) != nil { items += 1 }
        try reader.finish(at: file.count)
        #expect(items == 3 && reader.skippedBlocks == 1)
    }

    @Test("An unknown block that is not whole cuts the capture short")
    func unfinished() {
        let block = Expected.block(99) { $0.words(1, 2, 3, 4, 5, 6, 7) }
        let read = Reading.items(Expected.section() + block.prefix(20))
        #expect(read.error == .truncated(needed: 40, available: 20, at: 28))
        let last = Reading.items(Expected.section() + block.prefix(39))
        #expect(last.error == .truncated(needed: 40, available: 39, at: 28))
    }
}

@Suite("The short way to read captures")
struct PlainCaptureTests {
    /// Returns what the short way gives of a packet behind a head of so many items, if it is what the long way gives.
    private func plain(_ head: [UInt8], items: Int, _ packet: [UInt8]) throws -> Bool {
        let file = head + packet
        var reader = CaptureReader()
        for _ in 0..<items { _ = try reader.next(in: file.span.bytes) }
        var other = reader
        guard let found = reader.nextPlain(in: file.span.bytes, at: 0) else {
            #expect(reader.position == head.count)
            return false
        }
        #expect(try other.next(in: file.span.bytes) == .packet(found))
        #expect(reader.position == other.position)
        #expect(reader.nextPlain(in: file.span.bytes, at: 0) == nil)
        return true
    }

    private func changed(_ packet: [UInt8], _ place: Int, by amount: UInt8) -> [UInt8] {
        var packet = packet
        packet[place] &+= amount
        return packet
    }

    @Test("It takes Enhanced Packet Blocks without options, of every interface")
    func pcapng() throws {
        let head = Expected.section() + Expected.interface() + Expected.interface { $0.option(9, [3]) }
        for interface in [0, 1] as [UInt32] {
            #expect(try plain(head, items: 3, Expected.packet(interface: interface)))
        }
        let packet = Expected.packet()
        let empty = Expected.block(6) { $0.words(0, 1, 2, 0, 4) }
        #expect(try plain(head, items: 3, empty))
        #expect(try plain(head, items: 3, Expected.packet(captured: 1)))
        for other in [
            Expected.packet(interface: 2), Expected.packet { $0.option(1, [65]) }, Array(packet.dropLast()),
            Expected.packet(captured: 5), changed(packet, 32, by: 4), changed(packet, 4, by: 4),
            changed(packet, 0, by: 1),
            Expected.block(3) { $0.words(0, 0, 0, 0, 0) },
        ] {
            #expect(try !plain(head, items: 3, other))
        }
        let big = Expected.section(.big) + Expected.interface(.big)
        #expect(try !plain(big, items: 2, Expected.packet(.big)))
    }

    @Test("It takes packets of up to 256 KiB")
    func longest() throws {
        func packet(_ count: UInt32) -> [UInt8] {
            Expected.block(6) {
                $0.words(0, 0, 0, count, count)
                $0.bytes += [UInt8](repeating: 7, count: Int(count))
            }
        }
        let head = Expected.section() + Expected.interface()
        #expect(try plain(head, items: 2, packet(262_144)))
        #expect(try !plain(head, items: 2, packet(262_145)))
        var record = Expected(.little)
        record.words(1, 2, 262_144, 262_144)
        record.bytes += [UInt8](repeating: 7, count: 262_144)
        #expect(try plain(pcap(), items: 1, record.bytes))
        record.bytes[8] = 1
        record.bytes.append(7)
        #expect(try !plain(pcap(), items: 1, record.bytes))
    }

    private func pcap(_ order: ByteOrder = .little, magic: UInt32 = 0xa1b2_c3d4, minor: UInt16 = 4) -> [UInt8] {
        var head = Expected(order)
        head.words(magic)
        head.halves(2, minor)
        head.words(0, 0, 65_535, 1)
        return head.bytes
    }

    @Test("It takes records of pcap, of micro- and of nanoseconds")
    func pcaps() throws {
        var record = Expected(.little)
        record.words(3, 5, 2, 9)
        record.bytes += [1, 2]
        #expect(try plain(pcap(), items: 1, record.bytes))
        #expect(try plain(pcap(magic: 0xa1b2_3c4d), items: 1, record.bytes))
        #expect(try !plain(pcap(), items: 1, Array(record.bytes.dropLast())))
        #expect(try !plain(pcap(), items: 1, Array(record.bytes.prefix(15))))
        #expect(try !plain(pcap(minor: 3), items: 1, record.bytes))
        var big = Expected(.big)
        big.words(3, 5, 2, 9)
        big.bytes += [1, 2]
        #expect(try !plain(pcap(.big), items: 1, big.bytes))
        var modified = Expected(.little)
        modified.words(3, 5, 2, 9, 1, 2)
        modified.bytes += [1, 2]
        #expect(try plain(pcap(magic: 0xa1b2_cd34), items: 1, modified.bytes))
    }

    @Test("It gives nothing before the head was read, and after an error")
    func outside() throws {
        let file = Expected.section() + Expected.interface() + Expected.packet()
        var reader = CaptureReader()
        #expect(reader.nextPlain(in: file.span.bytes, at: 0) == nil)
        let wrong = Expected.section() + Expected.interface() + Expected.packet(interface: 7) + Expected.packet()
        for _ in 0..<2 { _ = try reader.next(in: wrong.span.bytes) }
        #expect(throws: CaptureFileError.self) { try reader.next(in: wrong.span.bytes) }
        #expect(reader.nextPlain(in: wrong.span.bytes, at: 0) == nil)
    }
}
