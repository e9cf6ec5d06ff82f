import Testing

@testable import WeirAdmin

@Suite("Errors of Toxiproxy's API")
struct ToxiproxyErrorTests {
    @Test(
        "Each has Toxiproxy's words and status",
        arguments: [
            (ToxiproxyError.invalidStream, 400, "stream was invalid, can be either upstream or downstream"),
            (.invalidType, 400, "invalid toxic type"), (.proxyNotFound, 404, "proxy not found"),
            (.toxicNotFound, 404, "toxic not found"), (.proxyExists, 409, "proxy already exists"),
            (.toxicExists, 409, "toxic already exists"), (.badBody("x"), 400, "bad request body: x"),
            (.missing("name"), 400, "missing required field: name"), (.other("y"), 500, "y"),
        ]
    )
    func texts(error: ToxiproxyError, status: Int, message: String) {
        #expect(error.status == status && error.message == message)
        let answer = error.answer
        #expect(answer.status == status && answer.headers.contains { $0 == ("x-content-type-options", "nosniff") })
        guard case .bytes(let body) = answer.body else {
            Issue.record("the answer is a stream")
            return
        }
        let text = "{\"error\":\"\(message)\",\"status\":\(status)}\n"
        #expect(String(decoding: body, as: UTF8.self) == text)
    }
}
