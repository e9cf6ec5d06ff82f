import Support
import Testing
import WeirWire

@Suite("Capture reader")
struct CaptureReaderTests {
    @Test("Reads sections of either byte order, each with interfaces of its own")
    func sections() throws {
        var file: [UInt8] = []
        for order in [ByteOrder.big, .little, .big] {
            file += Expected.section(order) + Expected.interface(order) + Expected.interface(order, snapLength: 9)
            file += Expected.packet(order, interface: 1)
        }
        let read = Reading.items(file)
        #expect(read.error == nil)
        #expect(read.items.count == 12)
        for (index, order) in [ByteOrder.big, .little, .big].enumerated() {
            #expect(read.items[4 * index] == .block(.section(CaptureSection(byteOrder: order))))
            let packet = PacketMetadata(timestamp: 1_000_000_000, interface: 1, originalLength: 4)
            #expect(read.items[4 * index + 3] == .packet(packet, .ethernet, [1, 2, 3, 4]))
        }
    }

    @Test("Does not know a section's interfaces in the next one")
    func interfacesEnd() throws {
        let file = Expected.section() + Expected.interface() + Expected.section() + Expected.packet()
        #expect(Reading.items(file).error == .malformed(.noInterface(0, described: 0), at: 76 - 28 + 28))
    }

    @Test("Reads Simple Packet Blocks: cut at the interface's limit, without a time", arguments: ByteOrder.allCases)
    func simplePackets(order: ByteOrder) throws {
        for (limit, captured) in [(0, 6), (3, 3), (6, 6), (100, 6)] as [(UInt32, Int)] {
            let packet = Expected.block(3, order) {
                $0.words(6)
                $0.bytes += [1, 2, 3, 4, 5, 6].prefix(captured)
            }
            let file = Expected.section(order) + Expected.interface(order, snapLength: limit) + packet
            let item = try #require(Reading.items(file).items.last)
            let metadata = PacketMetadata(timestamp: nil, originalLength: 6)
            #expect(item == .packet(metadata, .ethernet, Array([1, 2, 3, 4, 5, 6].prefix(captured))))
        }
    }

    @Test("Reads obsolete Packet Blocks, and what they say was dropped", arguments: ByteOrder.allCases)
    func obsoletePackets(order: ByteOrder) throws {
        for (drops, option, count) in [(7, nil, 7), (.max, nil, nil), (7, 9, 9)] as [(UInt16, UInt8?, UInt64?)] {
            let packet = Expected.block(2, order) {
                $0.halves(1, drops)
                $0.words(0, 2_000_000, 5, 60)
                $0.bytes += [1, 2, 3, 4, 5, 0, 0, 0]
                if let option {
                    $0.halves(4, 8)
                    $0.double(UInt64(option))
                }
            }
            let head = Expected.section(order) + Expected.interface(order) + Expected.interface(order)
            var metadata = PacketMetadata(timestamp: 2_000_000_000, interface: 1, originalLength: 60)
            metadata.options.dropCount = count
            #expect(Reading.items(head + packet).items.last == .packet(metadata, .ethernet, [1, 2, 3, 4, 5]))
        }
    }

    @Test("Leaves blocks out that nothing is known of, whatever their size, and counts them")
    func unknownBlocks() throws {
        var reader = CaptureReader()
        let small = Expected.block(99) { $0.words(1, 2, 3) }
        let empty = Expected.block(0x8000_0001) { _ in }
        let large = Expected.block(0x7fff_ffff) { $0.bytes += [UInt8](repeating: 7, count: 20 << 20) }
        // A window that never holds a large block whole.
        let file = Expected.section() + small + large + empty + Expected.interface() + large + Expected.packet() + small
        var packets = 0
        var start = 0
        while true {
            let window = file[start..<min(start + 4096, file.count)]
            let bytes = Array(window)
            while let item = try reader.next(in: bytes.span.bytes, at: start) {
                if case .packet = item { packets += 1 }
            }
            #expect(reader.needed <= 4096)
            if reader.position >= file.count { break }
            #expect(reader.position > start)
            start = reader.position
        }
        try reader.finish(at: file.count)
        #expect(packets == 1)
        #expect(reader.skippedBlocks == 5)
    }

    @Test("Takes a block whose length leaves the padding out, as Wireshark does")
    func unpaddedLength() throws {
        var packet = Expected.packet { $0.option(1, Array("abc".utf8)) }
        packet[4] -= 1
        packet[packet.count - 4] -= 1
        let file = Expected.section() + Expected.interface() + packet + Expected.packet()
        let read = Reading.items(file)
        #expect(read.error == nil)
        #expect(read.items.count == 4)
    }

    @Test("A list of options needs no end, and what follows its end says nothing")
    func options() throws {
        let open = Expected.packet { $0.option(1, Array("a".utf8)) }
        let closed = Expected.packet {
            $0.option(1, Array("a".utf8))
            $0.option(0, [])
            $0.bytes += [9, 9, 9, 9]
        }
        let zero = Expected.packet { $0.option(1, Array("a\0bc".utf8)) }
        for packet in [open, closed, zero] {
            let read = Reading.items(Expected.section() + Expected.interface() + packet)
            guard case .packet(let metadata, _, _) = read.items.last else {
                Issue.record("\(read)")
                continue
            }
            #expect(metadata.options == PacketOptions(comments: ["a"]))
        }
    }

    @Test("Keeps what it does not know, and what is said a second time, as it stands")
    func otherOptions() throws {
        let interface = Expected.interface {
            $0.option(2, Array("eth0".utf8))
            $0.option(2, Array("eth1".utf8))
            $0.option(9, [9, 9])
            $0.option(9, [3])
            $0.option(6, [1, 2, 3, 4, 5, 6])
            $0.option(2988, [1, 0, 0, 0] + Array("x".utf8))
        }
        var expected = CaptureInterface(linkType: .ethernet, name: "eth0")
        expected.resolution = TimestampResolution(rawValue: 3)
        expected.others = [
            CaptureOption(code: 2, bytes: Array("eth1".utf8)),
            CaptureOption(code: 9, bytes: [9, 9]),
            CaptureOption(code: 6, bytes: [1, 2, 3, 4, 5, 6]),
            CaptureOption(custom: .string, enterprise: 1, bytes: Array("x".utf8)),
        ]
        #expect(Reading.items(Expected.section() + interface).items.last == .block(.interface(expected)))
    }

    @Test("Reads pcap with a frame check length, and lengths that old versions have the other way round")
    func pcapVersions() throws {
        for (minor, first, second, captured) in [(4, 2, 3, 2), (3, 3, 2, 2), (3, 2, 3, 2), (2, 3, 2, 2)]
            as [(UInt16, UInt32, UInt32, Int)]
        {
            var file = Expected(.big)
            file.words(0xa1b2_c3d4)
            file.halves(2, minor)
            file.words(0, 0, 65_535, 0x2400_0065, 5, 1_000_001, first, second)
            file.bytes += [1, 2]
            var header = PcapHeader(linkType: .raw, byteOrder: .big, isNanoseconds: false, snapLength: 65_535)
            header.linkFlags = 0x2400
            let read = Reading.items(file.bytes)
            #expect(header.frameCheckLength == 4)
            // A fraction of more than a second counts on.
            let metadata = PacketMetadata(timestamp: 6_000_001_000, originalLength: 3)
            #expect(
                read.items == [.block(.pcapHeader(header)), .packet(metadata, .raw, [1, 2].dropLast(2 - captured))]
            )
            #expect(read.error == nil)
        }
    }

    @Test("Says how many bytes it needs, and takes them from a window that begins anywhere before")
    func windows() throws {
        let file = Expected.section() + Expected.interface() + Expected.packet() + Expected.packet()
        var reader = CaptureReader()
        var items = 0
        while reader.position < file.count {
            let start = max(0, reader.position - 5)
            let bytes = Array(file[start..<(reader.position + reader.needed)])
            if try reader.next(in: bytes.span.bytes, at: start) != nil { items += 1 }
        }
        try reader.finish(at: file.count)
        #expect(items == 4)
    }

    @Test("Repairs text, and keeps as much of it as an option or a record can hold again")
    func wrongText() throws {
        let wrong = [UInt8](repeating: 0xff, count: 65_000)
        let packet = Expected.packet { $0.option(1, wrong) }
        let names = Expected.block(4) {
            $0.option(1, [1, 2, 3, 4] + wrong.dropLast(1000) + [0] + wrong.prefix(900) + [0])
            $0.words(0)
        }
        let read = Reading.items(Expected.section() + Expected.interface() + packet + names)
        guard case .packet(let metadata, _, _) = read.items[2], case .block(.names(let found)) = read.items[3],
            case .address(_, let texts) = found.records.first
        else {
            Issue.record("\(read.items.count) items, \(String(describing: read.error))")
            return
        }
        // Each wrong byte becomes U+FFFD, which has three.
        #expect(metadata.options.comments == [String(repeating: "\u{fffd}", count: 21_845)])
        #expect(texts.map(\.utf8.count) == [3 * 21_843, 0])
        var writer = PcapngWriter()
        let again = written { buffer in
            writer.append(CaptureSection(byteOrder: .little), to: &buffer)
            writer.append(CaptureInterface(linkType: .ethernet), to: &buffer)
            writer.append(metadata, ([1, 2, 3, 4] as [UInt8]).span.bytes, to: &buffer)
            writer.append(found, to: &buffer)
        }
        let isSame = Reading.items(again).items.dropFirst(2) == read.items.dropFirst(2)
        #expect(isSame)
    }
}

@Suite("The \"modified\" pcap of some routers")
struct ModifiedPcapTests {
    @Test("Its packets are read", .needsCases)
    func packets() throws {
        let read = Reading.items(try Cases.read("modified-a1b2cd34.pcap"))
        #expect(read.error == nil)
        #expect(read.items.count == 4)
        for item in read.items.dropFirst() {
            guard case .packet(let metadata, let type, let bytes) = item else {
                Issue.record("\(item) is no packet")
                continue
            }
            #expect(type == .ethernet && metadata.originalLength == 47 && bytes.suffix(5) == Array("hello".utf8))
        }
    }

    @Test("It is so in either byte order", arguments: ByteOrder.allCases)
    func orders(order: ByteOrder) {
        var file = Expected(order)
        file.words(0xa1b2_cd34)
        file.halves(2, 4)
        file.words(0, 0, 65_535, 1, 7, 9, 3, 3, 1)
        file.halves(0x0800)
        file.bytes += [0, 0, 1, 2, 3]
        let read = Reading.items(file.bytes)
        #expect(read.error == nil)
        let metadata = PacketMetadata(timestamp: 7_000_009_000, originalLength: 3)
        #expect(read.items.last == .packet(metadata, .ethernet, [1, 2, 3]))
    }
}
