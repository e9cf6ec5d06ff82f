/// What `weir run` costs a program: the same load alone and under it.
struct RunMeasurement: Measurement {
    let name: String
    let title: String
    let method: String
    let metrics: [Metric]
    let group = MeasurementGroup.run
    let subjects: [Subject]
    let compared: String
    private let kind: LoadKind
    private let server: ServerKind
    private let size: Int

    private init(
        _ name: String,
        _ title: String,
        _ method: String,
        _ kind: LoadKind,
        _ metrics: [Metric] = [.callMicroseconds, Self.slowest, .processorPerOperation],
        server: ServerKind,
        size: Int = Agreed.message,
        subjects: [Subject] = [.direct, .run()],
        compared: String = Subject.run().name
    ) {
        (self.name, self.title, self.method, self.metrics) = ("run-\(name)", title, method, metrics)
        (self.kind, self.server, self.size, self.subjects) = (kind, server, size, subjects)
        self.compared = compared
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        var load = bench.load(kind)
        (load.size, load.connectionLimit) = (size, 5000)
        return Sample(try await bench.measure(load, server: server, through: subject))
    }
}

extension RunMeasurement {
    /// Lists what is measured.
    static let all: [RunMeasurement] =
        [
            .init(
                "call",
                "A call that the filter allows by its number",
                "`getppid`; a figure is the mean of 1,000 calls, the median that of all these means.",
                .call,
                [.callNanoseconds],
                server: .echo
            ),
            .init(
                "call-checked",
                "A call that the filter allows by its arguments",
                "`recv` of descriptor -1, which wants no source; as above.",
                .checkedCall,
                [.callNanoseconds],
                server: .echo
            ),
            .init(
                "connect",
                "`connect` to a server on this machine",
                """
                One connection after another, each closed at once, at most 5,000 in a run; the call blocks, and is timed alone. \
                CPU is that of weir for the whole life of a connection.
                """,
                .connectCall,
                server: .echo
            ),
            .init(
                "connect-refused",
                "`connect` to a port on which nobody listens",
                "One after another; each must give ECONNREFUSED.",
                .refusedCall,
                server: .echo
            ),
            .init(
                "datagram-send",
                "`sendto` with an address, 64 bytes",
                "One socket, one server, which takes the datagrams and sends nothing. CPU is with relaying them.",
                .sendCall,
                server: .silent
            ),
            .init(
                "datagram-receive",
                "`recvfrom` with an address, 64 bytes, data waiting",
                "64 datagrams are sent to a server that echoes; 4 ms after the first came back all are received.",
                .receiveCall,
                [.callMicroseconds, slowest, .loss],
                server: .datagrams
            ),
            .init(
                "datagram-echo",
                "`sendto` and `recvfrom` with addresses, 64 bytes, to a server and back",
                "One datagram is under way; both calls and both ways are timed together, with the relay between them.",
                .echoCall,
                server: .datagrams
            ),
            messages(64, "64 bytes"),
            messages(16 << 10, "16 KiB"),
        ] + [
            .init(
                "data",
                "One TCP stream by `send`",
                """
                As for one stream, in pieces of 256 KiB. `weir relay` has one thread of relaying, `weir run` two on two cores, of \
                which a stream uses one.
                """,
                .stream,
                [.throughput],
                server: .sink,
                subjects: streams,
                compared: onlyTCP.name
            )
        ]

    /// The scheduler's rather than weir's, where cores are shared.
    private static let slowest = Metric(key: Metric.p99.key, heading: "p99 µs", digits: 1, isCompared: false)
    private static let onlyTCP = Subject.run(["--only", "tcp"])
    private static let streams: [Subject] = [
        .direct, Subject(name: "weir relay", peer: Peers.weir), .run(), onlyTCP,
    ]

    private static func messages(_ size: Int, _ words: String) -> RunMeasurement {
        .init(
            "sendmsg-\(size < 1024 ? "\(size)" : "\(size >> 10)k")",
            "One TCP stream by `sendmsg` of \(words)",
            "The call blocks, with TCP_NODELAY; all bytes must have arrived.",
            .messages,
            [Metric(key: Metric.inputRate.key, heading: "MB/s", scale: 1e-6, digits: 1), .rate("calls/s")],
            server: .sink,
            size: size,
            subjects: streams,
            compared: onlyTCP.name
        )
    }
}
