import WeirWire

/// A dissector of the echo protocol, in which every request is sent back; only its port identifies it.
///
/// A stream has no messages of its own: each chunk is one. Source: RFC 862.
struct EchoDissector: Dissector {
    static let description = DissectorDescription(
        name: "echo",
        summary: "The echo protocol",
        transports: [.tcp, .udp],
        ports: [7],
        fields: [Fields.data]
    )

    enum Fields {
        static let data = FieldName("echo.data", "What is to come back, or has")
    }

    private var requests: UInt64 = 0
    private var answers: UInt64 = 0

    init() {}

    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition { .maybe }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        message.add(Fields.data, 0..<bytes.byteCount, textOf: bytes)
        let isRequest = place.direction == .upstream
        message.summary.append(isRequest ? "request of " : "response of ")
        message.summary.append(bytes: bytes.byteCount)
        // A stream may come back in other chunks than it was sent in.
        guard place.transport == .udp else { return .message(bytes.byteCount) }
        if isRequest {
            message.role = .request(requests)
            requests &+= 1
        } else if answers < requests {
            message.role = .answer(answers)
            answers &+= 1
        }
        return .message(bytes.byteCount)
    }
}
