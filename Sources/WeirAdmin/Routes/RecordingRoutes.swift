import Glibc
import WeirSinks
import WeirWire

/// The routes that start, stop, list and send recordings.
enum RecordingRoutes {
    static let all: [AdminRoute] = [list, start, find, download, stop]

    private static let name = AdminRoute.Parameter(
        name: "name",
        help: "The recording's name.",
        schema: Schemas.string,
        isInPath: true
    )
    private static let recording = Schemas.reference("Recording")
    private static let missing = V1Routes.problem(404, "There is no such recording.")

    private static func json(_ recording: Recordings.Recording) -> JSONValue {
        [
            "name": .string(recording.name), "bytes": .int(recording.bytes),
            "modified": .string(FlowJSON.time(recording.modified)), "active": .bool(recording.isActive),
        ]
    }

    private static let list = AdminRoute(
        .weir,
        "GET",
        "/v1/recordings",
        "listRecordings",
        "Lists the recordings of the captures folder.",
        answers: [.json(200, "The recordings.", Schemas.object([("recordings", Schemas.list(of: recording))]))]
    ) { _, parts in
        .json(["recordings": .array(await parts.recordings.all().map(json))])
    }

    private static let start = AdminRoute(
        .weir,
        "POST",
        "/v1/recordings",
        "startRecording",
        "Begins to record into a new file of the captures folder.",
        body: body,
        isBodyOptional: true,
        answers: [
            .json(201, "The recording.", recording), V1Routes.badRequest,
            V1Routes.problem(409, "There is a file of that name, or too many recordings run."),
        ]
    ) { request, parts in
        let input = try BodyReader(request.body, keys: ["name", "legs", "format"])
        let name = try input.string("name")
        let legs = try input.choice("legs", CaptureSettings.Legs.self) ?? .both
        let format = try input.choice("format", CaptureSettings.Format.self) ?? .pcapng
        return .json(json(try await parts.recordings.start(name, legs, format)), status: 201)
    }

    private static let body: JSONValue = ["oneOf": [body(.pcapng, required: []), body(.pcap, required: ["format"])]]

    /// Returns the schema of a body for one format, with whose extension the name must end.
    private static func body(_ format: CaptureSettings.Format, required: [String]) -> JSONValue {
        [
            "type": "object", "additionalProperties": false, "required": .array(required.map(JSONValue.string)),
            "properties": [
                "name": [
                    "type": "string", "pattern": .string("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}\\.\(format.rawValue)$"),
                ],
                "legs": Schemas.oneOf(CaptureSettings.Legs.allCases.map(\.rawValue)),
                "format": Schemas.oneOf([format.rawValue]),
            ],
        ]
    }

    private static let find = AdminRoute(
        .weir,
        "GET",
        "/v1/recordings/{name}",
        "getRecording",
        "Describes a recording.",
        parameters: [name],
        answers: [.json(200, "The recording.", recording), missing]
    ) { request, parts in
        .json(json(try await parts.recordings.find(request.part("name"))))
    }

    private static let download = AdminRoute(
        .weir,
        "GET",
        "/v1/recordings/{name}/file",
        "downloadRecording",
        "Sends a recording's file.",
        parameters: [name],
        answers: [
            AdminRoute.Answer(
                status: 200,
                help: "The file.",
                type: "application/octet-stream",
                schema: ["type": "string", "format": "binary"]
            ), missing,
        ]
    ) { request, parts in
        let name = request.part("name")
        let (descriptor, size) = try await parts.recordings.read(name)
        let file = OpenFile(descriptor, size)
        return AdminAnswer(
            status: 200,
            headers: [
                ("content-type", "application/octet-stream"),
                ("content-disposition", "attachment; filename=\"\(name)\""),
            ],
            body: .stream { try await file.send(to: $0) }
        )
    }

    private static let stop = AdminRoute(
        .weir,
        "POST",
        "/v1/recordings/{name}/stop",
        "stopRecording",
        "Ends a recording; its file is whole then.",
        parameters: [name],
        answers: [
            .json(200, "The recording.", recording), missing, V1Routes.problem(409, "It does not run."),
        ]
    ) { request, parts in
        .json(json(try await parts.recordings.stop(request.part("name"))))
    }
}

/// A file that is sent to a client.
private final class OpenFile: Sendable {
    private let descriptor: Int32
    private let size: Int

    init(_ descriptor: Int32, _ size: Int) {
        self.descriptor = descriptor
        self.size = size
    }

    deinit { close(descriptor) }

    func send(to writer: any AnswerWriter) async throws {
        var offset = 0
        while offset < size {
            var part = [UInt8](repeating: 0, count: min(64 << 10, size - offset))
            let count = pread(descriptor, &part, part.count, offset)
            guard count > 0 else { return }
            offset += count
            try await writer.write(Array(part.prefix(count)))
        }
    }
}

/// The body of a request to `/v1`: one object with known keys, or nothing.
struct BodyReader {
    private let value: JSONValue

    init(_ body: [UInt8], keys: [String]) throws {
        guard !body.isEmpty else {
            value = [:]
            return
        }
        value = try JSONParser.parseWhole(body)
        guard let members = value.members else { throw AnswerError.problem(400, "the body is no object") }
        for member in members where !keys.contains(member.key) {
            throw AnswerError.problem(400, "'\(member.key)' is not known; there is \(keys.joined(separator: ", "))")
        }
    }

    func string(_ key: String) throws -> String? {
        guard let member = value[key] else { return nil }
        guard let text = member.stringValue else { throw AnswerError.problem(400, "'\(key)' is a string") }
        return text
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ key: String, _: Choice.Type) throws -> Choice? {
        guard let text = try string(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw AnswerError.problem(400, "'\(key)' is one of \(choices)")
        }
        return choice
    }
}
