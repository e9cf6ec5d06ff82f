import WeirRelay
import WeirWire

/// The dispatcher of requests: it checks whether a request is let in, finds its route, and calls it.
struct RequestRouter: RequestHandler {
    let policy: AccessPolicy
    let gate: RequestGate

    /// Returns the answer to a request that is not let in; nil for one that is.
    func refusal(of request: AdminRequest) -> AdminAnswer? {
        guard let (status, reason) = policy.refusal(of: request) else { return nil }
        let answer =
            Self.isWeirs(request)
            ? AdminAnswer.problem(status, reason) : ToxiproxyError(message: reason, status: status).answer
        return status == 401 ? answer.with("www-authenticate", "Bearer realm=\"weir\"") : answer
    }

    func answer(_ request: AdminRequest) async -> AdminAnswer {
        let isWeirs = Self.isWeirs(request)
        switch Routes.find(request) {
        case .none:
            return isWeirs
                ? .problem(404, "there is nothing at this path; GET /v1/openapi.json says what there is")
                : AdminAnswer.text("404 page not found\n", status: 404).with("x-content-type-options", "nosniff")
        case .otherMethods(let methods):
            let answer: AdminAnswer =
                isWeirs ? .problem(405, "this path takes \(methods.joined(separator: ", "))") : .empty(405)
            return answer.with("allow", methods.joined(separator: ", "))
        case .route(let route, let parameters):
            var request = request
            request.parameters = parameters
            return await answer(request, route)
        }
    }

    private func answer(_ request: AdminRequest, _ route: AdminRoute) async -> AdminAnswer {
        switch route.api {
        case .weir:
            do {
                return try await route.handle(request, await gate.ready()).with("cache-control", "no-store")
            } catch {
                return Self.problem(error)
            }
        case .toxiproxy:
            let answer: AdminAnswer
            if request.header("user-agent")?.hasPrefix("Mozilla/") ?? false {
                answer = AdminAnswer.text("User agent not allowed\n", status: 403)
                    .with("x-content-type-options", "nosniff")
            } else {
                do {
                    answer = try await route.handle(request, await gate.ready())
                } catch {
                    answer = (error as? ToxiproxyError ?? .other("\(error)")).answer
                }
            }
            return answer.with("x-toxiproxy-request-id", RequestNumber.make())
        }
    }

    private static func problem(_ error: any Error) -> AdminAnswer {
        switch error {
        case let error as AnswerError: error.answer
        case let error as ToxiproxyError: .problem(error.status, error.message)
        case let error as JSONError: .problem(400, "the body is no JSON: \(error)")
        default: .problem(500, "\(error)")
        }
    }

    private static func isWeirs(_ request: AdminRequest) -> Bool { request.path.first == "v1" }
}

/// Identifiers for requests: 20 characters, like Toxiproxy's.
enum RequestNumber {
    private static let digits = Array("0123456789abcdefghijklmnopqrstuv".utf8)

    static func make() -> String {
        var bits = UInt128.random(in: 0 ... .max)
        return String(unsafeUninitializedCapacity: 20) { text in
            for place in 0..<20 {
                text[place] = digits[Int(bits & 31)]
                bits >>= 5
            }
            return 20
        }
    }
}
