/// What the two ends of one TCP connection do, as the client's first bytes tell the server.
struct TalkPlan: Equatable {
    /// Who ends how.
    enum Manner: UInt64, CaseIterable {
        /// Both send at once, and each ends its half when it has sent all.
        case together
        /// The server sends nothing before the client's half has ended.
        case clientFirst
        /// The client sends nothing before the server's half has ended.
        case serverFirst
        /// The client resets after a part of what it was to send.
        case clientResets
        /// The server resets after a part of what it was to send.
        case serverResets
    }

    /// The bytes of a plan on the wire.
    static let size = 64
    private static let magic: UInt64 = 0x6b61_6f73_7269_6577

    /// Makes the content of both directions.
    var seed: UInt64
    /// How often processes had been killed when the client began: see `Board`.
    var epoch: UInt64
    var manner: Manner
    /// The bytes that the client sends, behind the plan.
    var upstream: UInt64
    /// The bytes that the server sends.
    var downstream: UInt64
    /// After how many of its bytes the side that resets does so.
    var resetAfter: UInt64 = 0
    /// The number of the flow whose bytes are counted together; nil for a short connection.
    var flow: Int?

    /// Makes the plan of a short connection from random numbers.
    init(random: inout SplitMix, epoch: UInt64) {
        self.epoch = epoch
        seed = random.next()
        manner =
            switch random.next() % 10 {
            case 0..<4: .together
            case 4..<6: .clientFirst
            case 6..<8: .serverFirst
            case 8: .clientResets
            default: .serverResets
            }
        upstream = Self.length(&random)
        downstream = Self.length(&random)
        let length = manner == .clientResets ? upstream : downstream
        if manner == .clientResets || manner == .serverResets { resetAfter = random.next() % (length + 1) }
    }

    /// Makes the plan of a long flow.
    init(flow: Int, upstream: UInt64, downstream: UInt64, seed: UInt64, epoch: UInt64) {
        self.flow = flow
        self.upstream = upstream
        self.downstream = downstream
        self.seed = seed
        self.epoch = epoch
        manner = .together
    }

    /// Reads a plan; nil where the bytes are none.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        let words = bytes.withUnsafeBytes { pointer in
            (0..<8).map { pointer.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
        }
        guard words[0] == Self.magic, let manner = Manner(rawValue: words[3]), words[7] <= 1 << 20 else { return nil }
        (seed, epoch, self.manner) = (words[1], words[2], manner)
        (upstream, downstream, resetAfter) = (words[4], words[5], words[6])
        flow = words[7] == 0 ? nil : Int(words[7]) - 1
    }

    /// The plan as the client sends it.
    var bytes: [UInt8] {
        let words = [
            Self.magic, seed, epoch, manner.rawValue, upstream, downstream, resetAfter, UInt64((flow ?? -1) + 1),
        ]
        return words.withUnsafeBytes { Array($0) }
    }

    /// Most are short, a few are long, and some are empty.
    private static func length(_ random: inout SplitMix) -> UInt64 {
        switch random.next() % 20 {
        case 0, 1: 0
        case 2..<12: 1 + random.next() % 2000
        case 12..<18: 1 + random.next() % 16_000
        default: 1 + random.next() % 140_000
        }
    }
}
