import Support
import WeirWire

/// Makes captures of random blocks and packets.
struct RandomCapture {
    var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// Makes the items of a pcapng file: some sections with interfaces, packets and everything between them.
    mutating func pcapng() -> [WholeItem] {
        var items: [WholeItem] = []
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            items.append(.block(.section(section())))
            var interfaces: [CaptureInterface] = []
            for _ in 0..<Int.random(in: 0...30, using: &generator) {
                let kind = Int.random(in: 0..<12, using: &generator)
                if kind == 0 || interfaces.isEmpty {
                    interfaces.append(interface())
                    items.append(.block(.interface(interfaces[interfaces.count - 1])))
                } else {
                    items.append(item(kind, interfaces))
                }
            }
        }
        return items
    }

    private mutating func item(_ kind: Int, _ interfaces: [CaptureInterface]) -> WholeItem {
        switch kind {
        case 1: return .block(.names(names()))
        case 2: return .block(.statistics(statistics(interfaces)))
        case 3: return .block(.secrets(secrets()))
        case 4:
            let bytes = bytes(upTo: 10)
            let padding = [UInt8](repeating: 0, count: -bytes.count & 3)
            let custom = CustomBlock(isCopyable: bool(), enterprise: number(), bytes: bytes + padding)
            return .block(.custom(custom))
        default:
            let number = Int.random(in: 0..<interfaces.count, using: &generator)
            let data = bytes(upTo: 100)
            var metadata = PacketMetadata(timestamp: time(interfaces[number]), interface: UInt32(number))
            metadata.originalLength = bool() ? UInt32(data.count) : self.number()
            metadata.options = packetOptions()
            return .packet(metadata, interfaces[number].linkType, data)
        }
    }

    /// Makes the items of a pcap file.
    mutating func pcap(_ order: ByteOrder, isNanoseconds: Bool) -> [WholeItem] {
        let linkType = LinkType(rawValue: number())
        var header = PcapHeader(linkType: linkType, byteOrder: order, isNanoseconds: isNanoseconds)
        header.snapLength = number()
        header.timeZone = number()
        header.accuracy = number()
        header.linkFlags = number()
        var items: [WholeItem] = [.block(.pcapHeader(header))]
        for _ in 0..<Int.random(in: 0...30, using: &generator) {
            let data = bytes(upTo: 100)
            let second = Int64(number() as UInt32) * 1_000_000_000
            let fraction = Int64.random(in: 0..<1_000_000, using: &generator) * (isNanoseconds ? 999 : 1000)
            let original: UInt32 = bool() ? UInt32(data.count) : number()
            items.append(.packet(.init(timestamp: second + fraction, originalLength: original), linkType, data))
        }
        return items
    }
}

// Parts of blocks
extension RandomCapture {
    private mutating func bool() -> Bool { Bool.random(using: &generator) }

    private mutating func number<Value: FixedWidthInteger>() -> Value {
        let wide = Value.random(in: .min ... .max, using: &generator)
        return bool() ? wide : wide & 3
    }

    private mutating func bytes(upTo limit: Int) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &generator)).map { _ in number() }
    }

    private mutating func perhaps<Value>(_ make: (inout Self) -> Value) -> Value? { bool() ? make(&self) : nil }

    private mutating func several<Value>(_ make: (inout Self) -> Value) -> [Value] {
        (0..<max(0, Int.random(in: -2...2, using: &generator))).map { _ in make(&self) }
    }

    private mutating func text() -> String {
        let alphabet = ["a", "é", "漢", "🙂", " ", "\n", "\u{301}"]
        let size = Int.random(in: 0..<50, using: &generator) == 0 ? 40_000 : 9
        let count = Int.random(in: 0...size, using: &generator)
        let text = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }.joined()
        // A writer cuts a longer one, which is another test's matter.
        return text.utf8.count <= 60_000 ? text : String(text.prefix(9))
    }

    /// Makes options of codes that have no meaning, and custom ones.
    private mutating func others() -> [CaptureOption] {
        several { random in
            let index = Int.random(in: 0..<8, using: &random.generator)
            let codes: [UInt16] = [17, 999, 20_000, .max]
            guard index < 4 else { return CaptureOption(code: codes[index - 4], bytes: random.bytes(upTo: 9)) }
            let code = CaptureOption.CustomCode.allCases[index]
            return CaptureOption(custom: code, enterprise: random.number(), bytes: random.bytes(upTo: 9))
        }
    }

    private mutating func section() -> CaptureSection {
        CaptureSection(
            byteOrder: bool() ? .little : .big,
            hardware: perhaps { $0.text() },
            operatingSystem: perhaps { $0.text() },
            application: perhaps { $0.text() },
            comments: several { $0.text() },
            others: others()
        )
    }

    private mutating func interface() -> CaptureInterface {
        var interface = CaptureInterface(linkType: LinkType(rawValue: number()), snapLength: number())
        interface.name = perhaps { $0.text() }
        interface.description = perhaps { $0.text() }
        interface.addresses = several { random in
            random.bool()
                ? .v4(random.number(), mask: random.number())
                : .v6(high: random.number(), low: random.number(), prefix: random.number())
        }
        interface.speed = perhaps { $0.number() }
        interface.resolution = perhaps { TimestampResolution(rawValue: $0.number()) }
        interface.filter = perhaps { [0] + $0.bytes(upTo: 20) }
        interface.operatingSystem = perhaps { $0.text() }
        interface.frameCheckLength = perhaps { $0.number() }
        interface.offsetSeconds = perhaps { $0.bool() ? $0.number() : Int64($0.number() as UInt32) }
        interface.hardware = perhaps { $0.text() }
        interface.comments = several { $0.text() }
        interface.others = others()
        return interface
    }

    private mutating func names() -> CaptureNames {
        let records: [CaptureNames.Record] = several { random in
            if Int.random(in: 0..<4, using: &random.generator) == 0 {
                return .other(
                    type: UInt16.random(in: 3 ... .max, using: &random.generator),
                    bytes: random.bytes(upTo: 9)
                )
            }
            return .address(random.address(), names: random.several { $0.text() })
        }
        return CaptureNames(
            records: records,
            server: perhaps { $0.text() },
            serverAddresses: several { $0.address() },
            comments: several { $0.text() },
            others: others()
        )
    }

    private mutating func address() -> IPAddress {
        bool() ? IPAddress(v4: number()) : IPAddress(v6: number(), low: number())
    }

    private mutating func statistics(_ interfaces: [CaptureInterface]) -> CaptureStatistics {
        let number = Int.random(in: 0..<interfaces.count, using: &generator)
        var statistics = CaptureStatistics(interface: UInt32(number), timestamp: time(interfaces[number]))
        statistics.start = perhaps { $0.time(interfaces[number]) }
        statistics.end = perhaps { $0.time(interfaces[number]) }
        statistics.received = perhaps { $0.number() }
        statistics.droppedByInterface = perhaps { $0.number() }
        statistics.accepted = perhaps { $0.number() }
        statistics.droppedBySystem = perhaps { $0.number() }
        statistics.delivered = perhaps { $0.number() }
        statistics.comments = several { $0.text() }
        statistics.others = others()
        return statistics
    }

    private mutating func secrets() -> CaptureSecrets {
        let format = CaptureSecrets.Format(rawValue: number())
        return CaptureSecrets(format: format, bytes: bytes(upTo: 50), comments: several { $0.text() }, others: others())
    }

    private mutating func packetOptions() -> PacketOptions {
        guard bool() else { return PacketOptions() }
        return PacketOptions(
            flags: perhaps { PacketFlags(rawValue: $0.number()) },
            packetID: perhaps { $0.number() },
            dropCount: perhaps { $0.number() },
            queue: perhaps { $0.number() },
            process: perhaps { PacketProcess(process: $0.number(), thread: $0.number()) },
            comments: several { $0.text() },
            others: others()
        )
    }

    /// Makes a time that an interface can give, by reading one that was written for it.
    private mutating func time(_ interface: CaptureInterface) -> Int64 {
        var writer = PcapngWriter()
        let wanted: Int64 = bool() ? 1_700_000_000_000_000_000 + Int64(number() as UInt32) : number()
        let file = written { buffer in
            writer.append(CaptureSection(), to: &buffer)
            writer.append(interface, to: &buffer)
            writer.append(PacketMetadata(timestamp: wanted), [UInt8]().span.bytes, to: &buffer)
        }
        guard case .packet(let metadata, _, _) = Reading.items(file).items.last else { return 0 }
        return metadata.timestamp ?? 0
    }
}
