"""Agencies to run against: made-up portals, monitors and offices, the same for everyone with the same seed and clock.

Nothing here is a figure of any real agency, province or person. Every answer, workbook and source file says so.
"""

SYNTHETIC_NOTE = "DỮ LIỆU MÔ PHỎNG (SYNTHETIC) - không phải số liệu của bất kỳ cơ quan, địa phương nào"
