"""Kinds of faults of a source, and what to do about them, in Vietnamese; in English the fault says it itself."""

FAULTS_VI = {
    "unreachable": "không kết nối được hoặc hệ thống của cơ quan đang lỗi",
    "busy": "hệ thống của cơ quan từ chối vì quá nhiều yêu cầu",
    "refused": "bị từ chối truy cập (sai tài khoản hoặc thiếu quyền)",
    "untrusted": "không xác thực được hệ thống của cơ quan (TLS)",
    "missing": "không có gì ở địa chỉ hoặc thư mục đã khai báo",
    "malformed": "nội dung nhận được không đúng dạng",
    "changed": "cấu trúc dữ liệu đã thay đổi",
    "unstable": "danh sách thay đổi liên tục trong khi đọc",
    "config": "cấu hình của chúng ta sai hoặc thiếu",
}
REMEDIES_VI = {
    "unreachable": "gọi cho cơ quan nếu kéo dài quá một đêm",
    "busy": "đợi đêm sau, hoặc hỏi thưa hơn",
    "refused": "kiểm tra tài khoản, mật khẩu của kết nối và quyền được cấp",
    "untrusted": "đề nghị cơ quan gia hạn hoặc sửa chứng thư TLS",
    "missing": "kiểm tra địa chỉ trong tệp nguồn, hoặc nhắc cơ quan nộp tệp",
    "malformed": "mở địa chỉ xem cơ quan trả về gì; nếu địa chỉ đúng thì gọi cho cơ quan",
    "changed": "sửa ánh xạ trường trong tệp nguồn theo tên mới",
    "unstable": "đợi đêm sau, hoặc gọi cho cơ quan nếu kéo dài",
    "config": "sửa tệp nguồn hoặc thêm kết nối",
}
