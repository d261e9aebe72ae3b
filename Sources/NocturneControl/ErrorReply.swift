// ErrorReply.swift — an error as the control API tells it: a fitting HTTP status and one JSON shape
// for all. Next: Endpoint.swift.

internal import Hummingbird
internal import NIOCore
package import NocturneCore

/// An error as JSON: `{"error": {"code", "message", "plugin", "retryable", "exitStatus"}}`.
///
/// What every failed request of the API has as its body, and what the command line prints under
/// `--json`.
package func errorDocument(_ error: any ReportableError) -> JSONValue {
    var fields = error.json.object ?? [:]
    fields["exitStatus"] = JSONValue(error.exitStatus)
    return ["error": .object(fields)]
}

extension ReportableError {
    /// The HTTP status for this error (RFC 9110 §15). Errors that no case names follow from how a
    /// command would exit.
    var httpStatus: HTTPResponse.Status {
        switch code {
        case "unknownRoute", "unknownPlugin", "unknownTool", "unknownTask", "unknownQueue",
            "unknownSchedule", "notFound", "unknownSession", "unknownAgent":
            .notFound
        case "notJSON", "wrongBody", "invalidParameter": .badRequest
        case "bodyTooLarge", "tooLarge": .contentTooLarge
        case "busy": .tooManyRequests
        case "deadlineExceeded": .gatewayTimeout
        case "wouldDeadlock", "nameTaken", "wrongState", "uniqueKeyHeld", "alertExists",
            "sessionExists",
            "agentExists", "sessionEnded":
            .conflict
        default: Self.status(forExit: exitStatus)
        }
    }

    private static func status(forExit exitStatus: Int32) -> HTTPResponse.Status {
        switch exitStatus {
        case 64: .badRequest
        case 65: .unprocessableContent
        case 69, 75: .serviceUnavailable
        case 77: .forbidden
        default: .internalServerError
        }
    }
}

extension Response {
    /// A whole JSON document.
    init(_ status: HTTPResponse.Status, json: JSONValue) {
        self.init(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.serialized())))
    }

    /// An error with its status.
    init(_ error: any ReportableError) {
        self.init(error.httpStatus, json: errorDocument(error))
    }
}
