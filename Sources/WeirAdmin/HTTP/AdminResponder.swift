import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Turns Hummingbird's requests into ours, and our answers into its.
struct AdminResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    /// Bounds a request's body, in bytes.
    static let largestBody = 1 << 20

    let desk: AdminDesk

    func respond(to request: Request, context: Context) async throws -> Response {
        let answer: AdminAnswer
        do {
            answer = await desk.answer(try await read(request))
        } catch let error as AnswerError {
            answer = error.answer
        }
        return response(answer, isHead: request.method == .head)
    }

    private func read(_ request: Request) async throws -> AdminRequest {
        let target = request.head.path ?? ""
        guard target.hasPrefix("/"), !target.hasPrefix("//") else {
            throw AnswerError(AdminAnswer.problem(400, "the request's target is no path", closes: true))
        }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var read = AdminRequest(
            method: request.method.rawValue,
            path: parts[0].dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        )
        if parts.count > 1 { read.query = PercentText.query(parts[1]) }
        if let host = request.head.authority { read.headers.append(("host", host)) }
        // A second Host is still there, and is refused.
        for field in request.headers {
            read.headers.append((field.name.canonicalName, field.value))
        }
        // A stranger's body is not even read.
        if let refusal = desk.refusal(of: read) { throw AnswerError(refusal) }
        read.body = try await body(of: request)
        return read
    }

    private func body(of request: Request) async throws -> [UInt8] {
        let tooLarge = AnswerError(
            AdminAnswer.problem(413, "a body may have \(Self.largestBody) bytes at most", closes: true)
        )
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Self.largestBody {
            throw tooLarge
        }
        var bytes: [UInt8] = []
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= Self.largestBody else { throw tooLarge }
            bytes += part.readableBytesView
        }
        return bytes
    }

    private func response(_ answer: AdminAnswer, isHead: Bool) -> Response {
        var headers = HTTPFields()
        for (name, value) in answer.headers {
            guard let name = HTTPField.Name(name) else { continue }
            headers.append(HTTPField(name: name, value: value))
        }
        if answer.closes { headers[.connection] = "close" }
        let status = HTTPResponse.Status(code: answer.status, reasonPhrase: StatusText.phrase(of: answer.status))
        switch answer.body {
        case .bytes(let bytes):
            headers[.contentLength] = answer.status == 204 ? nil : "\(bytes.count)"
            let body = isHead || bytes.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            var response = Response(status: status, headers: headers, body: body)
            if answer.status == 204 { response.headers[.contentLength] = nil }
            return response
        case .stream(let body):
            if isHead { return Response(status: status, headers: headers) }
            let writing = ResponseBody { writer in
                let stream = StreamWriter(writer)
                try await body(stream)
                try await stream.finish()
            }
            return Response(status: status, headers: headers, body: writing)
        }
    }
}

/// Lends the writer of a response's body to one task.
private final class StreamWriter: AnswerWriter, @unchecked Sendable {
    private var writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    func write(_ bytes: [UInt8]) async throws { try await writer.write(ByteBuffer(bytes: bytes)) }

    func finish() async throws { try await writer.finish(nil) }
}
